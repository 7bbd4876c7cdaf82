/** Quiet hours: from one time of day to another in one time zone, over midnight where it must be. */
import type { QuietHours, Timestamp } from '@sealpost/protocol';

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;

/** When the quiet hours that hold now end; `undefined` outside of them. */
export function quietUntil({ from, until, zone }: QuietHours, now: Timestamp): Timestamp | undefined {
  const [start, end, at] = [minutesOf(from), minutesOf(until), minuteOfDay(zone, now)];
  if (start === end) return undefined;
  const since = (at - start + DAY_MINUTES) % DAY_MINUTES;
  const length = (end - start + DAY_MINUTES) % DAY_MINUTES;
  if (since >= length) return undefined;
  const whole = Math.floor(now / MINUTE) * MINUTE;
  const expected = whole + (length - since) * MINUTE;
  // Clocks may be changed in between (daylight saving): what was left by the clock on the wall is corrected once.
  const off = (minuteOfDay(zone, expected) - end + DAY_MINUTES) % DAY_MINUTES;
  const corrected = expected - (off > DAY_MINUTES / 2 ? off - DAY_MINUTES : off) * MINUTE;
  return Math.max(corrected, now + 1);
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return hours * 60 + minutes;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function minuteOfDay(zone: string, at: Timestamp): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    formats.set(zone, format);
  }
  return minutesOf(format.format(at));
}
