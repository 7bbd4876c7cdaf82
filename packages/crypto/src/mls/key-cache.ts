/** The most recently used imported public keys: importing one costs as much as verifying with it. */
export function createKeyCache<Key>(limit: number, make: (bytes: Uint8Array) => Key): (bytes: Uint8Array) => Key {
  const keys = new Map<string, Key>();
  return (bytes) => {
    let name = '';
    for (const byte of bytes) name += String.fromCharCode(byte);
    const known = keys.get(name);
    const key = known ?? make(bytes);
    if (known !== undefined) keys.delete(name);
    keys.set(name, key);
    if (keys.size > limit) {
      const [oldest] = keys.keys();
      if (oldest !== undefined) keys.delete(oldest);
    }
    return key;
  };
}
