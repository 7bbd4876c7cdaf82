/** For adapters that ask one origin and no other: a fetch that asks a stand-in where that origin is meant. */

export interface Instead {
  readonly origin: string;
  readonly by: string;
}

export function fetchInstead(instead: Instead | undefined): typeof fetch {
  if (instead === undefined) return fetch;
  return (input, init) => {
    const url = String(input);
    return fetch(url.startsWith(`${instead.origin}/`) ? instead.by + url.slice(instead.origin.length) : url, init);
  };
}
