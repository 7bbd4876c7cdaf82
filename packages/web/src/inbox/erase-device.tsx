/** The way out, in two presses: the first says what is lost. */
import { useState } from 'react';
import { Action } from '../design/action.tsx';
import { Row } from '../design/column.tsx';
import { Quiet } from '../design/text.tsx';

export function EraseDevice({ erase }: { erase: () => Promise<void> }) {
  const [asked, setAsked] = useState(false);
  if (!asked)
    return (
      <div>
        <Action onPress={() => setAsked(true)}>Erase this device…</Action>
      </div>
    );
  return (
    <>
      <Quiet>
        This removes the key, every message and every receipt that still waits from this browser, for good. The
        directory goes on listing the device until an administrator revokes it.
      </Quiet>
      <Row>
        <Action onPress={() => void erase()}>Erase for good</Action>
        <Action strength="quiet" onPress={() => setAsked(false)}>
          Keep it
        </Action>
      </Row>
    </>
  );
}
