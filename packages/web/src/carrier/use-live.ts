/** Follows the simulator's events; the browser connects again by itself when it can. */
import { useEffect, useState } from 'react';
import { type LiveState, parseLiveState } from './live-schema.ts';

export interface Live {
  /** The last state told; kept while the connection is away. */
  readonly state: LiveState | undefined;
  readonly connection: 'connecting' | 'live' | 'away' | 'refused';
}

export function useLive(path: string): Live {
  const [live, setLive] = useState<Live>({ state: undefined, connection: 'connecting' });
  useEffect(() => {
    const events = new EventSource(path);
    events.onmessage = ({ data }: MessageEvent<string>) => {
      const state = parseLiveState(data);
      if (state !== undefined) setLive({ state, connection: 'live' });
    };
    events.onerror = () => {
      // Closed means the simulator said no (too many pages), and asking again is up to the person.
      const connection = events.readyState === EventSource.CLOSED ? 'refused' : 'away';
      setLive(({ state }) => ({ state, connection }));
    };
    return () => events.close();
  }, [path]);
  return live;
}
