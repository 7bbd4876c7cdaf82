/** A moment: the time of day in the reader's own zone, with its day when it is not today, and exact on hover. */
import type { Timestamp } from '@sealpost/protocol';
import styles from './text.module.css';

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const EXACT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'full',
  timeStyle: 'long',
});

export function TimeText({ at }: { at: Timestamp }) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  const clock = CLOCK.format(date);
  return (
    <time dateTime={date.toISOString()} title={EXACT.format(date)} className={styles.time}>
      {today ? clock : `${DAY.format(date)}, ${clock}`}
    </time>
  );
}
