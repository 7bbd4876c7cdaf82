/**
 * What the gateway's last word means for the next attempt. Trying again helps against everything but these: the device is
 * not known any more, or a newer connection of it has taken over (two would take turns in throwing each other out).
 */
const FINAL: ReadonlySet<string> = new Set([
  'ERR_SYNC_SIGNATURE',
  'ERR_SYNC_REVOKED',
  'ERR_SYNC_SUPERSEDED',
  'ERR_SYNC_CURSOR',
]);

export function isFinal(code: string): boolean {
  return FINAL.has(code);
}
