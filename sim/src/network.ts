import type { Random } from '@sidetone/core';
import type { World } from './world.ts';

/** How bad a link is: chances in 0..1, delays in milliseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  readonly delay: number;
  readonly jitter: number;
}

/** A datagram link: loses, repeats, delays and reorders by the seed. */
export function datagramLink(
  world: World,
  random: Random,
  weather: Weather,
  deliver: (bytes: Uint8Array) => void,
): (bytes: Uint8Array) => void {
  const chance = (p: number): boolean => random.int(1_000_000) < p * 1_000_000;
  const flight = (): number => weather.delay + random.int(Math.max(1, Math.round(weather.jitter * 10))) / 10;
  return (bytes) => {
    if (!chance(weather.loss)) world.after(flight(), () => deliver(bytes));
    if (chance(weather.duplication)) world.after(flight(), () => deliver(bytes));
  };
}

/** A stream link (the WebSocket): in order, delayed, until it is cut. */
export function streamLink(world: World, random: Random, weather: Weather, deliver: (text: string) => void) {
  let lastArrival = 0;
  let cut = false;
  return {
    send: (text: string): void => {
      const arrival = Math.max(
        lastArrival,
        world.now + weather.delay + random.int(Math.max(1, Math.round(weather.jitter))),
      );
      lastArrival = arrival;
      world.after(arrival - world.now, () => {
        if (!cut) deliver(text);
      });
    },
    cut: (): void => {
      cut = true;
    },
  };
}
