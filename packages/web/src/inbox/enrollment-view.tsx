/** Before this browser is a device: one button where a link brought a code, a field where none did. */
import { TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Action } from '../design/action.tsx';
import { Card, Section } from '../design/column.tsx';
import { Problem } from '../design/problem.tsx';
import { Mono, Quiet } from '../design/text.tsx';
import styles from './messages.module.css';
import type { InboxState } from './state.ts';

type EnrollmentState = Extract<InboxState, { kind: 'stranger' | 'enrolling' }>;

export function EnrollmentView({ state, enroll }: { state: EnrollmentState; enroll: (code: string) => Promise<void> }) {
  const enrolling = state.kind === 'enrolling';
  const offered = state.kind === 'stranger' ? state.code : undefined;
  return (
    <Section title="Enroll this browser">
      <Card>
        <Quiet>
          It makes a key of its own, which script cannot take out, and is entered in the directory as one of your
          devices. From then on messages are sealed to it.
        </Quiet>
        {offered === undefined ? (
          <CodeForm enrolling={enrolling} enroll={enroll} />
        ) : (
          <>
            <p className={styles.plain}>The link you opened brought a code for it.</p>
            <div>
              <Action strength="main" onPress={() => void enroll(offered)}>
                Enroll this browser
              </Action>
            </div>
          </>
        )}
        {state.kind === 'stranger' && state.problem !== undefined ? <Problem {...state.problem} /> : null}
      </Card>
      <Quiet>
        The first load of this page is trusted: nothing here can tell whether the server sent you another page than
        ours.
      </Quiet>
    </Section>
  );
}

function CodeForm({ enrolling, enroll }: { enrolling: boolean; enroll: (code: string) => Promise<void> }) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== '') void enroll(code.trim());
  };
  return (
    <form onSubmit={submit} className={styles.form}>
      <TextInput
        label="Enrollment code"
        description="Works once, for ten minutes."
        value={code}
        onChange={({ currentTarget }) => setCode(currentTarget.value)}
        disabled={enrolling}
        maxLength={64}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
      />
      <div>
        <Action strength="main" submits busy={enrolling}>
          {enrolling ? 'Enrolling…' : 'Enroll this browser'}
        </Action>
      </div>
      <Quiet>
        No code yet? An administrator makes one: <Mono>npm run sealpost -- control invite alice</Mono>
      </Quiet>
    </form>
  );
}
