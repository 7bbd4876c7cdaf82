/** The simulated carriers, over their HTTP control interface: what a phone shows, and faults to switch on. */
import { z } from 'zod';

const shownSchema = z.object({
  messages: z.array(z.object({ channel: z.string(), text: z.string(), url: z.string().nullish() })),
});

export interface SimulatorClient {
  setPhone(number: string, state: { rcs: boolean; online: boolean }): Promise<void>;
  /** Text and link of the newest message a channel brought to the phone since the last one asked for. */
  lastMessage(number: string, channel: 'rcs' | 'sms'): Promise<string | undefined>;
  setFault(carrier: 'rbm' | 'smsc', kind: string): Promise<void>;
  clearFaults(): Promise<void>;
  imageUrl(name: string): string;
  image(name: string): Promise<Uint8Array>;
}

export function createSimulatorClient(port: number): SimulatorClient {
  const base = `http://127.0.0.1:${port}`;
  const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`the simulator answered ${response.status} to ${method} ${path}`);
    return response;
  };
  const seen = new Map<string, number>();
  return {
    setPhone: async (number, state) => void (await send('PUT', `/phones/${encodeURIComponent(number)}`, state)),
    async lastMessage(number, channel) {
      const { messages } = shownSchema.parse(await (await send('GET', `/phones/${encodeURIComponent(number)}`)).json());
      const ofChannel = messages.filter((message) => message.channel === channel);
      const newest = ofChannel.at(-1);
      if (newest === undefined || ofChannel.length <= (seen.get(channel) ?? 0)) return undefined;
      seen.set(channel, ofChannel.length);
      return `${newest.text} ${newest.url ?? ''}`;
    },
    setFault: async (carrier, kind) => void (await send('PUT', `/faults/${carrier}`, { kind })),
    clearFaults: async () => void (await send('DELETE', '/faults')),
    imageUrl: (name) => `${base}/images/${name}.png`,
    image: async (name) => new Uint8Array(await (await send('GET', `/images/${name}.png`)).arrayBuffer()),
  };
}
