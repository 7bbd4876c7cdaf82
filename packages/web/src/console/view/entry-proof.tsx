/** The proof of one entry, verified in this browser by itself; and what becomes of it when one byte is changed. */

import { sha256 } from '@sealpost/crypto/verify';
import { type Evidence, fromBase64url, toHex } from '@sealpost/protocol';
import { leafHash } from '@sealpost/tlog';
import { useEffect, useState } from 'react';
import { Action } from '../../design/action.tsx';
import { Row } from '../../design/column.tsx';
import { Digest, Facts, Mono, More, StatusWord } from '../../design/text.tsx';
import { TimeText } from '../../design/time-text.tsx';
import {
  type Alteration,
  changeOneByte,
  type EntryVerdict,
  type ProofKeys,
  proofWords,
  type ShownEntry,
  verifyEntry,
} from '../proof/verify-entry.ts';
import styles from './console.module.css';

export interface EntryProofProps {
  readonly shown: ShownEntry;
  readonly evidence: Evidence;
  readonly keys: ProofKeys;
}

/** `since`: how long after acceptance, in words. */
export function EntryProof({ since, ...props }: EntryProofProps & { readonly since: string }) {
  const { shown, evidence, keys } = props;
  const verdict = useVerdict(shown, evidence, keys);
  const refused = verdict?.kind === 'refused';
  const word = verdict === undefined ? 'verifying' : refused ? 'not proved' : 'proved';
  return (
    <More
      summary={
        <span>
          {since} · log entry {shown.position} · {refused ? <StatusWord tone="bad">{word}</StatusWord> : word}
        </span>
      }
    >
      <p className={styles.sentence}>{verdict === undefined ? 'Verifying …' : proofWords(verdict, keys)}</p>
      <Facts facts={factsOf(shown, evidence)} />
      <p className={styles.record}>{evidence.record}</p>
      <Tampering {...props} />
    </More>
  );
}

function factsOf({ event }: ShownEntry, { salt, leaf, path, size, checkpoint }: Evidence) {
  const hash = leafHash(fromBase64url(leaf) ?? new Uint8Array(), sha256);
  return [
    { name: 'Exact time', value: <TimeText at={event.at} /> },
    { name: 'Event', value: <Mono>{event.kind}</Mono> },
    { name: 'Salt', value: <Digest label="Salt" value={salt} /> },
    { name: 'Leaf hash', value: <Digest label="Leaf hash" value={toHex(hash)} /> },
    { name: 'Path', value: `${path.length} ${path.length === 1 ? 'hash' : 'hashes'} to the root of ${size} entries` },
    { name: 'Checkpoint', value: <Digest label="Checkpoint" value={checkpoint.trim()} /> },
  ];
}

/** Lets a doubter see it fail: the same check over the same evidence, one bit of the record flipped. */
function Tampering({ shown, evidence, keys }: EntryProofProps) {
  const [tried, setTried] = useState<{ alteration: Alteration; verdict: EntryVerdict }>();
  const tryIt = async () => {
    const alteration = changeOneByte(evidence);
    setTried({ alteration, verdict: await verifyEntry(shown, alteration.evidence, keys) });
  };
  if (tried === undefined)
    return (
      <Row>
        <Action onPress={() => void tryIt()}>Change one byte and verify again</Action>
      </Row>
    );
  const { alteration, verdict } = tried;
  return (
    <div role="status" className={styles.tampered}>
      <p className={styles.sentence}>
        <StatusWord tone={verdict.kind === 'refused' ? 'bad' : 'warn'}>{proofWords(verdict, keys)}</StatusWord>
      </p>
      <p className={styles.why}>
        Changed here only: <Mono>{alteration.before}</Mono> to <Mono>{alteration.after}</Mono>. The log is as it was.
      </p>
      <Row>
        <Action onPress={() => setTried(undefined)}>Put it back</Action>
      </Row>
    </div>
  );
}

function useVerdict(shown: ShownEntry, evidence: Evidence, keys: ProofKeys): EntryVerdict | undefined {
  const [verdict, setVerdict] = useState<EntryVerdict>();
  useEffect(() => {
    let current = true;
    void verifyEntry(shown, evidence, keys).then((reached) => {
      if (current) setVerdict(reached);
    });
    return () => {
      current = false;
    };
  }, [shown, evidence, keys]);
  return verdict;
}
