/** The buttons: an alert, the phone, the RCS provider. What became of a press is said in words, also to those who listen. */
import { useState } from 'react';
import { Action } from '../design/action.tsx';
import { Card, Section } from '../design/column.tsx';
import { Announcement, Problem } from '../design/problem.tsx';
import { Facts, Quiet, StatusWord } from '../design/text.tsx';
import styles from './carrier.module.css';
import { breakRcs, type Deed, type Outcome, repairRcs, sendAlert, setPhone } from './deeds.ts';
import type { LiveState, Phone } from './live-schema.ts';

export function Controls({ state, phone }: { state: LiveState; phone: Phone | undefined }) {
  const { press, busy, outcome } = useDeeds();
  const broken = state.faults.rbm.some(({ kind }) => kind !== 'ok');
  return (
    <Section title="Make something happen">
      <Card>
        <div className={styles.buttons}>
          <Action strength="main" busy={busy} onPress={() => press(sendAlert('firing'))}>
            Send an alert
          </Action>
          <Action busy={busy} onPress={() => press(sendAlert('resolved'))}>
            Send “resolved”
          </Action>
          {phone === undefined ? null : (
            <Action busy={busy} onPress={() => press(setPhone(phone.number, !phone.online))}>
              {phone.online ? 'Turn the phone off' : 'Turn the phone on'}
            </Action>
          )}
          <Action busy={busy} onPress={() => press(broken ? repairRcs : breakRcs)}>
            {broken ? 'Repair RCS' : 'Break RCS'}
          </Action>
        </div>
        <Facts
          facts={[
            { name: 'Phone', value: <PhoneState phone={phone} /> },
            {
              name: 'RCS provider',
              value: broken ? <StatusWord tone="warn">{faultWords(state)}</StatusWord> : 'works',
            },
            { name: 'SMS provider', value: 'works' },
          ]}
        />
        <Happened outcome={outcome} />
      </Card>
    </Section>
  );
}

function PhoneState({ phone }: { phone: Phone | undefined }) {
  if (phone === undefined) return 'none known yet';
  return phone.online ? 'online' : <StatusWord tone="warn">offline</StatusWord>;
}

function faultWords({ faults }: LiveState): string {
  const kinds = faults.rbm.map(({ kind }) => kind);
  return kinds.includes('503') ? 'broken: answers 503' : `broken: ${kinds.join(', ')}`;
}

function Happened({ outcome }: { outcome: Outcome | undefined }) {
  if (outcome?.failed !== undefined)
    return <Problem sentence={outcome.sentence} hint={outcome.failed.hint} code={outcome.failed.code} />;
  return (
    <>
      <Quiet>{outcome?.sentence ?? 'A monitoring system posts the alert to control, as Alertmanager would.'}</Quiet>
      <Announcement>{outcome?.sentence ?? ''}</Announcement>
    </>
  );
}

/** One deed at a time. */
function useDeeds() {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const press = async (deed: Deed): Promise<void> => {
    setBusy(true);
    setOutcome(await deed());
    setBusy(false);
  };
  return { press, busy, outcome };
}
