/** The frame of every page: its one main, its one heading, one sentence that says what is seen here, and sections. */
import type { ReactNode } from 'react';
import styles from './column.module.css';

/** Named, because three of them share a window. Its own width decides the layout, so that a page reads the same alone and as one column of three. */
export function Column({ title, lede, children }: { title: string; lede: ReactNode; children: ReactNode }) {
  return (
    <main className={styles.column} aria-label={title}>
      <header className={styles.header}>
        <h1 className={styles.title}>{title}</h1>
        <p className={styles.lede}>{lede}</p>
      </header>
      {children}
    </main>
  );
}

/** A part of the page with a heading of the second level; `aside` stands at the heading's end. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <div className={styles.sectionHead}>
        <h2 className={styles.sectionTitle}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A thing on the surface, set apart by one hairline. */
export function Card({ children }: { children: ReactNode }) {
  return <div className={styles.card}>{children}</div>;
}

/** What stands in a row and wraps where there is no room: buttons, a state and its time. */
export function Row({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}

/** Where there is nothing yet: says so, and what will make something appear. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p className={styles.emptyTitle}>{title}</p>
      {children === undefined ? null : <p className={styles.emptyText}>{children}</p>}
    </div>
  );
}
