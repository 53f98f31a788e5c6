import { serveWorld } from '../../../server/frame.ts';
import { readConfig } from './config.ts';
import { openRelay } from './relay.ts';

/** The process of the relay stand-in. */
await serveWorld((env, own) => openRelay(readConfig(env), own));
