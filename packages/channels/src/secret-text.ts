/**
 * A secret as text. `undefined` when its file cannot be read: the adapter then says that its credentials are broken, and
 * sends nothing.
 */
import type { AdapterContext } from './adapter.ts';

export async function secretText(context: AdapterContext, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await context.readSecret(path));
  } catch {
    return undefined;
  }
}
