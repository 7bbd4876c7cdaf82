/** The sign-in code of a link: taken out of the fragment, which no server sees, and erased from the address and history. */

export interface Address {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

/** The code, or `undefined` when the address holds none. `erase` is given the address without its fragment. */
export function takeCode({ hash, pathname, search }: Address, erase: (address: string) => void): string | undefined {
  const code = new URLSearchParams(hash.slice(1)).get('code') ?? undefined;
  if (hash !== '') erase(`${pathname}${search}`);
  return code;
}
