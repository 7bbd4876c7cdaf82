/**
 * Mail addresses as far as they are taken here: `Dot-string@Domain` of RFC 5321 section 4.1.2 in ASCII. No quoted local parts,
 * no address literals, no SMTPUTF8; so an address can hold neither a second one nor a line end.
 */
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const ADDRESS = new RegExp(`^${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`);

export function isMailAddress(text: string): boolean {
  return text.length <= 254 && text.indexOf('@') <= 64 && ADDRESS.test(text);
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

/** The one address of a `From` field, with or without a name beside it; `undefined` for anything else. */
export function addressOfField(field: string): string | undefined {
  const [, angled] = /<([^<>]{1,254})>\s*$/.exec(field) ?? [];
  const address = (angled ?? field).trim();
  return isMailAddress(address) ? address : undefined;
}
