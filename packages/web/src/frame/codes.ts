/** The codes in the link: each is good once and for ten minutes. They stand in the fragment, which no server is sent. */
export interface Codes {
  readonly inbox?: string;
  readonly console?: string;
}

const CODE = /^[0-9A-Za-z-]{1,64}$/;

/** What is no code is left out; the page behind it then asks for one itself. */
export function readCodes(fragment: string): Codes {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const code = (name: 'inbox' | 'console') => {
    const value = given.get(name);
    return value !== null && CODE.test(value) ? { [name]: value } : {};
  };
  return { ...code('inbox'), ...code('console') };
}

/** Reads them and erases them from the address, so that neither history nor a copied address holds them. */
export function takeCodes({ location, history }: Pick<Window, 'location' | 'history'>): Codes {
  const codes = readCodes(location.hash);
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
  return codes;
}
