import { typesAt } from './colyseus-frames.ts';
import { PACKAGES } from './packages.ts';
import type { Colyseus, StateDecoder } from './rooms.ts';

/**
 * Loads the packages with which players read messages, and some of them the state. They are optional dependencies.
 * @throws an Error that says which one is missing
 */
export async function openColyseus(): Promise<Colyseus> {
  const [{ Packr, unpack }, { Reflection }] = await Promise.all([
    import('@colyseus/msgpackr').catch(missing(PACKAGES.msgpackr)),
    import('@colyseus/schema').catch(missing(PACKAGES.schema)),
  ]);
  const packr = new Packr({ useRecords: false });
  return {
    pack: (value) => packr.pack(value),
    unpack: (data) => unpack(data),
    openState(joined) {
      const offset = typesAt(joined);
      if (offset === null) return null;
      const decoder = Reflection.decode(joined, { offset });
      return {
        take: (frame) => void decoder.decode(frame, { offset: 1 }),
        get state() {
          return decoder.state as StateDecoder['state'];
        },
      };
    },
  };
}

const missing = (name: string) => (cause: unknown) => {
  throw new Error(`the package ${name} cannot be loaded: npm install ${name}`, { cause });
};
