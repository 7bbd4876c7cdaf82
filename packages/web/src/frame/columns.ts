/** The three columns: what each shows and where it comes from. */
import { z } from 'zod';
import type { Codes } from './codes.ts';

export interface ColumnPlace {
  readonly id: 'carrier' | 'inbox' | 'console';
  readonly title: string;
  /** For a narrow screen's tab. */
  readonly short: string;
  /** Who serves it. */
  readonly servedBy: string;
  /** Its own address, without a code. */
  readonly url: string;
  /** What the frame opens. */
  readonly src: string;
}

/** Where the simulator says the two rooms of control are. */
export const originsSchema = z.strictObject({
  inbox: z.url({ protocol: /^https?$/ }),
  console: z.url({ protocol: /^https?$/ }),
});
export type Origins = z.infer<typeof originsSchema>;

export function columnsOf(ownOrigin: string, origins: Origins, codes: Codes): readonly ColumnPlace[] {
  const withCode = (url: string, code: string | undefined) => (code === undefined ? url : `${url}#code=${code}`);
  const [carrier, inbox, console] = [`${ownOrigin}/carrier/`, `${origins.inbox}/`, `${origins.console}/`];
  return [
    {
      id: 'carrier',
      title: 'What the carrier sees',
      short: 'Carrier',
      servedBy: 'simulator',
      url: carrier,
      src: carrier,
    },
    {
      id: 'inbox',
      title: 'What the recipient sees',
      short: 'Recipient',
      servedBy: 'control, inbox',
      url: inbox,
      src: withCode(inbox, codes.inbox),
    },
    {
      id: 'console',
      title: 'What the operator sees',
      short: 'Operator',
      servedBy: 'control, console',
      url: console,
      src: withCode(console, codes.console),
    },
  ];
}
