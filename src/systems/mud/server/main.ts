import { serveWorld } from '../../../server/frame.ts';
import { readConfig } from './config.ts';
import { openMudWorld } from './world.ts';

/** The process of one instance of the text game. */
await serveWorld((env, own) => openMudWorld(readConfig(env), own));
