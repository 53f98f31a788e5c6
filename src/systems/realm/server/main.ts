import { serveWorld } from '../../../server/frame.ts';
import { readConfig } from './config.ts';
import { openRealmWorld } from './world.ts';

/** The process of one world. */
await serveWorld((env, own) => openRealmWorld(readConfig(env), own));
