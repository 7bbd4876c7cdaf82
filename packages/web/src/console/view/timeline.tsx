/** The timeline: one sentence an event, why, when, and whether the log proves it. */
import type { Evidence, MessageStatus } from '@sealpost/protocol';
import { useQuery } from '@tanstack/react-query';
import { StatusWord } from '../../design/text.tsx';
import type { SignedInState } from '../session/session.ts';
import { elapsed } from '../timeline/states.ts';
import { type TimelineEntry, type Told, tellTimeline } from '../timeline/told.ts';
import styles from './console.module.css';
import { EntryProof } from './entry-proof.tsx';

export interface TimelineProps {
  readonly status: MessageStatus;
  readonly acceptedAt: number;
  readonly session: SignedInState;
}

/** A head is cosigned a moment after it was signed; until then it is asked for again. */
const COSIGNED_SOON = 3000;

export function Timeline({ status: { message, to, timeline }, acceptedAt, session }: TimelineProps) {
  const sequenced = timeline.filter(({ position }) => position !== null).length;
  const evidence = useQuery({
    queryKey: ['evidence', message, sequenced],
    queryFn: () => session.reads.evidence(message),
    enabled: sequenced > 0,
    placeholderData: (before) => before,
    refetchInterval: ({ state }) => (isCosigned(state.data, session) ? false : COSIGNED_SOON),
  });
  const proofs = new Map(evidence.data?.map((each) => [each.position, each]));
  const told = tellTimeline(timeline, to);
  return (
    <ol className={styles.timeline}>
      {told.map(({ entry, number, ...words }) => (
        <li key={number} className={styles.event}>
          <Sentence {...words} />
          <Proof
            entry={entry}
            evidence={entry.position === null ? undefined : proofs.get(entry.position)}
            since={elapsed(acceptedAt, entry.event.at)}
            session={session}
          />
        </li>
      ))}
    </ol>
  );
}

function Sentence({ sentence, why, tone }: Pick<Told, 'sentence' | 'why' | 'tone'>) {
  return (
    <>
      <p className={styles.sentence}>{tone === 'plain' ? sentence : <StatusWord tone={tone}>{sentence}</StatusWord>}</p>
      {why === '' ? null : <p className={styles.why}>{why}</p>}
    </>
  );
}

interface ProofProps {
  readonly entry: TimelineEntry;
  readonly evidence: Evidence | undefined;
  readonly since: string;
  readonly session: SignedInState;
}

function Proof({ entry: { event, position }, evidence, since, session }: ProofProps) {
  if (position === null) return <p className={styles.line}>{since} · in the log, waiting for the next checkpoint</p>;
  if (evidence === undefined)
    return (
      <p className={styles.line}>
        {since} · log entry {position}, fetching its proof
      </p>
    );
  return <EntryProof shown={{ event, position }} evidence={evidence} since={since} keys={session.trusted} />;
}

/** By its words: a note with the witness's line names it. What it is worth is verified for each entry. */
function isCosigned(evidence: readonly Evidence[] | undefined, { trusted }: SignedInState): boolean {
  return evidence?.every(({ checkpoint }) => checkpoint.includes(`— ${trusted.witnessKey.name} `)) ?? true;
}
