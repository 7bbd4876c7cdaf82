/** Signing in by a code: what it gives, where a code comes from, and what went wrong with the last one. */
import { TextInput } from '@mantine/core';
import type { SealpostError } from '@sealpost/protocol';
import { type FormEvent, useState } from 'react';
import { Action } from '../../design/action.tsx';
import { Card, Row, Section } from '../../design/column.tsx';
import { Problem } from '../../design/problem.tsx';
import { Mono, Quiet } from '../../design/text.tsx';

export interface SignInProps {
  readonly problem: SealpostError | undefined;
  readonly busy: boolean;
  readonly onCode: (code: string) => void;
}

export function SignIn({ problem, busy, onCode }: SignInProps) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== '') onCode(code);
  };
  return (
    <Section title="Sign in">
      {problem === undefined ? null : <Problem sentence={problem.message} hint={problem.hint} code={problem.code} />}
      <Card>
        <form onSubmit={submit}>
          <TextInput
            label="Sign-in code"
            description="Twelve letters and digits; valid for ten minutes, for one browser."
            placeholder="XXXX-XXXX-XXXX"
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={64}
            mb="md"
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <Row>
            <Action strength="main" submits busy={busy}>
              Sign in
            </Action>
          </Row>
        </form>
        <Quiet>
          An approver makes a code with <Mono>npm run sealpost -- control console-invite</Mono>. This browser then makes
          a key that cannot be copied out of it, and reads for twelve hours. It can change nothing.
        </Quiet>
      </Card>
    </Section>
  );
}
