/** Small pieces of text: quiet words, states as words, names with values, and digests that are short until asked for. */
import { type ReactNode, useState } from 'react';
import styles from './text.module.css';

/** A paragraph of lesser weight. */
export function Quiet({ children }: { children: ReactNode }) {
  return <p className={styles.quiet}>{children}</p>;
}

export type Tone = 'plain' | 'good' | 'warn' | 'bad';

/** A state in words. The tone only repeats what the word says. */
export function StatusWord({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return <strong className={`${styles.status} ${styles[tone]}`}>{children}</strong>;
}

export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
}

/** Names and values. Names are unique within a list. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(({ name, value }) => (
        <div key={name} className={styles.fact}>
          <dt className={styles.factName}>{name}</dt>
          <dd className={styles.factValue}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Ids, names of things in manifests, codes. */
export function Mono({ children }: { children: ReactNode }) {
  return <span className={styles.mono}>{children}</span>;
}

const SHORT = 8;

/** A digest or id by its first characters; a press shows all of it, and again hides it. `label` names what it is. */
export function Digest({ label, value }: { label: string; value: string }) {
  const [whole, setWhole] = useState(false);
  if (value.length <= SHORT * 2) return <Mono>{value}</Mono>;
  return (
    <button
      type="button"
      className={styles.digest}
      aria-expanded={whole}
      aria-label={`${label}: ${whole ? value : `${value.slice(0, SHORT)}…`}`}
      onClick={() => setWhole(!whole)}
    >
      {whole ? value : `${value.slice(0, SHORT)}…`}
    </button>
  );
}

/** What few people need and nobody should have to ask for: closed until it is opened. */
export function More({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  return (
    <details className={styles.more}>
      <summary className={styles.summary}>{summary}</summary>
      <div className={styles.moreBody}>{children}</div>
    </details>
  );
}
