import { type Login, logIn } from './login-client.ts';

/** What `identity.ts` tells this process to hold open. */
export interface Crowd {
  readonly url: string;
  readonly logins: readonly Login[];
  /** First of the loopback addresses that they come from, as the last number of 127.0.0.n. */
  readonly address: number;
}

const AT_A_TIME = 16;
const PER_ADDRESS = 1500;

/** A process with many idle clients: says how many are registered, and ends with its parent. */
process.on('message', ({ url, logins, address }: Crowd) => {
  let next = 0;
  let ready = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < logins.length; i = next++) {
      await logIn(url, logins[i]!, `127.0.0.${address + Math.floor(i / PER_ADDRESS)}`);
      ready += 1;
    }
  };
  Promise.all(Array.from({ length: AT_A_TIME }, worker)).then(
    () => process.send!({ ready }),
    (error: Error) => process.send!({ ready, error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
