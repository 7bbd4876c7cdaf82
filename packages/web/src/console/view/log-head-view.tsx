/** The log as it stands, whom this browser believes, and the end of the session. */
import { useQuery } from '@tanstack/react-query';
import { Action } from '../../design/action.tsx';
import { Card, Row, Section } from '../../design/column.tsx';
import { Problem } from '../../design/problem.tsx';
import { type Fact, Facts, Mono, Quiet } from '../../design/text.tsx';
import { TimeText } from '../../design/time-text.tsx';
import { verifiedHead } from '../proof/log-head.ts';
import type { SignedInState } from '../session/session.ts';

/** A log at rest is signed anew every ten seconds. */
const AGAIN = 10_000;

export function LogHeadView({ session, onSignOut }: { session: SignedInState; onSignOut: () => void }) {
  const { reads, trusted, expires } = session;
  const head = useQuery({
    queryKey: ['head'],
    queryFn: async () => verifiedHead(await reads.checkpoint(), trusted),
    refetchInterval: AGAIN,
  });
  const facts: Fact[] = [
    { name: 'Entries', value: head.data === undefined ? 'not read yet' : String(head.data.size) },
    { name: 'Signed by', value: <Mono>{trusted.logKey.name}</Mono> },
    {
      name: 'Witness',
      value: (
        <>
          <Mono>{trusted.witnessKey.name}</Mono>
          {head.data?.witnessedAt === undefined ? ' has not cosigned this head yet' : null}
          {head.data?.witnessedAt === undefined ? null : (
            <>
              {' '}
              cosigned it, <TimeText at={head.data.witnessedAt} />
            </>
          )}
        </>
      ),
    },
    { name: 'Root', value: <Mono>{trusted.fingerprint}</Mono> },
    { name: 'Session ends', value: <TimeText at={expires} /> },
  ];
  return (
    <Section title="What this rests on">
      {head.error !== null && head.data === undefined ? <Problem sentence={head.error.message} /> : null}
      <Card>
        <Facts facts={facts} />
        <Quiet>
          This browser pinned the root at its first sign-in and verified every key above under it. The first load of a
          page is trusted: compare the fingerprint with the one of the operator’s folder (<Mono>sealpost doctor</Mono>).
        </Quiet>
        <Row>
          <Action onPress={onSignOut}>Sign out</Action>
        </Row>
      </Card>
    </Section>
  );
}
