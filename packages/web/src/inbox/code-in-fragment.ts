/** The enrollment code a link brings: in the fragment, which no server is sent. It is taken out of the address at once. */

/** `undefined` where there is none. */
export function codeInFragment(hash: string): string | undefined {
  const code = new URLSearchParams(hash.replace(/^#/, '')).get('code');
  return code === null || code === '' || code.length > 64 ? undefined : code;
}

/** Leaves nothing of it in the address bar or the history. */
export function takeCode(): string | undefined {
  const code = codeInFragment(location.hash);
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  return code;
}
