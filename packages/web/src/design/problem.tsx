/** What went wrong, what to do about it, and the code that support asks for. Announced politely; it never takes the focus. */
import type { ReactNode } from 'react';
import styles from './problem.module.css';
import { Mono } from './text.tsx';

export interface ProblemProps {
  readonly sentence: string;
  readonly hint?: ReactNode;
  readonly code?: string | undefined;
  /** Buttons that may help. */
  readonly children?: ReactNode;
}

export function Problem({ sentence, hint, code, children }: ProblemProps) {
  return (
    <div role="status" className={styles.problem}>
      <p className={styles.sentence}>{sentence}</p>
      {hint === undefined ? null : <p className={styles.hint}>{hint}</p>}
      {code === undefined ? null : (
        <p className={styles.code}>
          Code: <Mono>{code}</Mono>
        </p>
      )}
      {children === undefined ? null : <div className={styles.actions}>{children}</div>}
    </div>
  );
}

/** Says a change to those who cannot see it, and shows nothing. */
export function Announcement({ children }: { children: string }) {
  return (
    <p aria-live="polite" className={styles.announcement}>
      {children}
    </p>
  );
}
