import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { buildAll } from '../scripts/build.ts';
import { ExampleProgram } from './src/example-program.ts';
import { needs, peerPath } from './src/peer-availability.ts';
import { Person } from './src/person.ts';
import { TestServer } from './src/server.ts';
import { until } from './src/wait.ts';

/** The programs of examples/ as their READMEs start them, with people in real browsers at both ends. */
describe('the examples', { ...needs('chromium', 'espeak-ng'), timeout: 300_000 }, () => {
  let server: TestServer;
  let browser: Browser;
  let variables: Record<string, string>;
  let links: string[];

  before(async () => {
    await buildAll(false);
    // As the product is without a configuration file, on ports of its own.
    server = await TestServer.start({
      config: { connections: undefined, webhooks: { allow: ['127.0.0.0/8', '::1'] } },
    });
    links = [...server.stdout.matchAll(/(http:\S+\/\?token=\S+)/g)].map((match) => match[1]!);
    variables = await ExampleProgram.variables(server);
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required'],
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const explained = async (program: ExampleProgram, walk: () => Promise<void>): Promise<void> => {
    try {
      await walk();
    } catch (error) {
      if (error instanceof Error) error.message += `\n--- example\n${program.output}\n${server.log}`;
      throw error;
    }
  };

  /** The ids of what the account has, by kind. */
  const made = async (): Promise<readonly string[][]> => {
    const ask = async (path: string): Promise<string[]> => {
      const answer = await fetch(`${variables['TELNYX_BASE_URL']}/${path}`, {
        headers: { Authorization: `Bearer ${variables['TELNYX_API_KEY']}` },
      });
      return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    return await Promise.all(
      ['credential_connections', 'telephony_credentials', 'call_control_applications'].map(ask),
    );
  };

  /** Started twice it makes nothing twice, and `--remove` leaves the account as it was. */
  const cleansUp = async (name: string, program: ExampleProgram): Promise<void> => {
    const before = await made();
    await program.stop();
    const again = await ExampleProgram.start(name, variables);
    try {
      assert.deepEqual(await made(), before);
      const removed = await again.remove();
      assert.deepEqual([removed.code, removed.stdout], [0, 'removed what this example had made\n']);
      assert.deepEqual(
        (await made()).map(({ length }) => length),
        [2, 0, 0],
      );
      assert.equal((await again.remove()).stdout, 'there was nothing to remove\n');
    } finally {
      await again.stop();
    }
  };

  describe('click to call', () => {
    let program: ExampleProgram;
    let caller: Person;
    let agent: Person | undefined;

    before(async () => {
      program = await ExampleProgram.start('click-to-call', variables);
      caller = await Person.opens(browser, program.url, 440);
    });
    after(async () => {
      await caller?.leaves();
      await agent?.leaves();
      await program?.stop();
    });

    const isFree = () => caller.page.getByRole('button', { name: 'Call us', disabled: false }).waitFor();

    it('says that the agent is not there, aloud too, and hangs up', async () =>
      explained(program, async () => {
        await caller.presses('Call us');
        await caller.hearsSpeech();
        await caller.reads('The agent is not there.');
        await caller.hearsSpeech();
        await isFree();
        await until('the end in the back end', () => program.events.at(-1) === 'caller  call.hangup');
        await caller.reads('The agent is not there.');
      }));

    it('is answered: both hear each other, and the agent ends it', async () =>
      explained(program, async () => {
        agent = await Person.opens(browser, links[0]!, 660);
        await agent.page.getByRole('button', { name: 'line2' }).waitFor();
        // Whom the softphone offers to call are people.
        assert.doesNotMatch(await agent.page.innerText('body'), /clicktocall/);
        await caller.presses('Call us');
        await caller.reads('Connecting you');
        await agent.reads('is calling you');
        await agent.presses('Answer');
        await caller.reads('You are talking to the agent.');
        await Promise.all([caller.hears(agent), agent.hears(caller)]);
        await agent.page.keyboard.press('Escape');
        await isFree();
        await caller.reads('The call is over.');
      }));

    it('ends by the caller, too, who needs no mouse', async () =>
      explained(program, async () => {
        await caller.page.getByRole('button').focus();
        await caller.page.keyboard.press('Enter');
        await agent!.reads('is calling you');
        await agent!.presses('Answer');
        await caller.hears(agent!);
        await caller.page.keyboard.press('Enter');
        await agent!.reads('The other side hung up.');
        await isFree();
      }));

    it('says that the agent is busy', async () =>
      explained(program, async () => {
        await caller.presses('Call us');
        await agent!.reads('is calling you');
        await agent!.presses('Decline');
        await caller.reads('The agent is busy.');
        await isFree();
      }));

    it('lets the agent go when the caller hangs up before the answer', async () =>
      explained(program, async () => {
        await caller.presses('Call us');
        await agent!.reads('is calling you');
        await caller.presses('Hang up');
        await agent!.readsNot('is calling you');
      }));

    it('takes no event that is not signed', async () => {
      const body = '{"data":{"event_type":"call.hangup"}}';
      const { status } = await fetch(`${program.url}/webhooks`, { method: 'POST', body });
      assert.equal(status, 400);
    });

    it('gave the browsers nothing to complain about', () => {
      assert.deepEqual(caller.complaints, []);
      assert.deepEqual(agent?.complaints, []);
    });

    it('makes nothing twice, and removes what it made', async () => cleansUp('click-to-call', program));

    it('leaves no page in doubt: one whose back end is gone says that nobody took the call', async () =>
      explained(program, async () => {
        program = await ExampleProgram.start('click-to-call', variables);
        const late = await Person.opens(browser, program.url, 440);
        await late.page.getByRole('button', { name: 'Call us', disabled: false }).waitFor();
        await program.stop();
        await late.presses('Call us');
        await until('the server to say so', () => /127\.0\.0\.1.*webhook not taken/.test(server.fullLog));
        await late.presses('Hang up');
        await late.reads('Nobody took the call.');
        await late.leaves();
        assert.equal((await program.remove()).code, 0);
      }));
  });

  describe('the voicemail', () => {
    let program: ExampleProgram;
    let caller: Person;

    before(async () => {
      program = await ExampleProgram.start('voicemail', variables);
      caller = await Person.opens(browser, program.url, 440);
    });
    after(async () => {
      await caller?.leaves();
      await program?.stop();
    });

    it('greets, records until the caller hangs up, and has the message on the page', async () =>
      explained(program, async () => {
        await caller.presses('Call');
        await caller.reads('Nobody is here at the moment.');
        await caller.hearsSpeech();
        await caller.reads('Speak now');
        await new Promise((done) => setTimeout(done, 3000));
        await caller.presses('Hang up');
        await caller.reads(/Your message of [3-6] seconds is kept\./);
        const link = /message of \d+ s: (\S+)/.exec(program.output)?.[1];
        assert.ok(link !== undefined);
        const answer = await fetch(link);
        assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'audio/mpeg']);
        // 32 kbit/s of one channel.
        const { length } = new Uint8Array(await answer.arrayBuffer());
        assert.ok(length > 8000 && length < 32_000, `${length}`);
        assert.equal(await caller.page.locator('#message').getAttribute('src'), link);
        const told = program.events.slice(-2);
        assert.deepEqual(told, ['caller  call.hangup', 'caller  call.recording.saved']);
      }));

    it('makes nothing twice, and takes away what it has made', () => cleansUp('voicemail', program));
  });

  describe('the voice menu', () => {
    let program: ExampleProgram;
    let caller: Person;
    let agent: Person | undefined;
    const MENU = 'Press 1 for the agent, 2 for the time.';

    before(async () => {
      program = await ExampleProgram.start('ivr', variables);
      caller = await Person.opens(browser, program.url, 440);
    });
    after(async () => {
      await caller?.leaves();
      await agent?.leaves();
      await program?.stop();
    });

    const isFree = () => caller.page.getByRole('button', { name: 'Call', exact: true }).waitFor();

    it('tells the time, and asks again; an agent who is not there leads back to the menu', async () =>
      explained(program, async () => {
        await caller.presses('Call');
        await caller.reads(`Welcome. ${MENU}`);
        await caller.hearsSpeech();
        await caller.presses('2');
        await caller.reads(/It is [0-2]\d:[0-5]\d\./);
        await caller.reads(MENU);
        await caller.presses('1');
        await caller.reads(`The agent is not there. ${MENU}`);
        await caller.presses('Hang up');
        await caller.reads('The call is over.');
      }));

    it('has enough of three wrong keys: says goodbye and hangs up', async () =>
      explained(program, async () => {
        await caller.presses('Call');
        await caller.reads(`Welcome. ${MENU}`);
        // Each once the prompt of the try before is under way again: its digit counts for this try.
        for (const key of ['9', '8', '7']) {
          await caller.hearsSpeech();
          await caller.presses(key);
        }
        await caller.reads('Goodbye.');
        await isFree();
        await caller.reads('The call is over.');
        const told = program.events.slice(program.events.lastIndexOf('caller  call.initiated'));
        const keys = told.slice(0, told.indexOf('caller  call.gather.ended'));
        assert.equal(keys.filter((line) => line.endsWith('call.dtmf.received')).length, 3);
      }));

    it('1 leads to the agent, pressed on the keyboard: both hear each other, either may hang up', async () =>
      explained(program, async () => {
        agent = await Person.opens(browser, links[1]!, 660);
        await agent.page.getByRole('button', { name: 'line1' }).waitFor();
        for (const ends of ['agent', 'caller'] as const) {
          await caller.presses('Call');
          await caller.reads(`Welcome. ${MENU}`);
          await caller.page.keyboard.press('1');
          await agent.reads('is calling you');
          await agent.presses('Answer');
          await caller.reads('You are talking to the agent.');
          await Promise.all([caller.hears(agent), agent.hears(caller)]);
          if (ends === 'agent') await agent.page.keyboard.press('Escape');
          else await caller.presses('Hang up');
          await caller.reads('The call is over.');
          await isFree();
          await agent.readsNot('In call');
        }
      }));

    it('an agent who declines leads back to the menu', async () =>
      explained(program, async () => {
        await caller.presses('Call');
        await caller.reads(`Welcome. ${MENU}`);
        await caller.presses('1');
        await agent!.reads('is calling you');
        await agent!.presses('Decline');
        await caller.reads(`The agent is busy. ${MENU}`);
        await caller.presses('Hang up');
        await isFree();
      }));

    it('gave the browsers nothing to complain about, and told nobody which keys were pressed', () => {
      assert.deepEqual(caller.complaints, []);
      assert.deepEqual(agent?.complaints, []);
      assert.deepEqual(
        program.output
          .split('\n')
          .filter((line) => line !== '' && !/^( {2}|(caller|agent ) {2}call\.)/.test(line)),
        [],
      );
    });

    it('makes nothing twice, and removes what it made', async () => cleansUp('ivr', program));
  });

  describe('the voice bot', () => {
    let program: ExampleProgram;
    let caller: Person;

    before(async () => {
      program = await ExampleProgram.start('voice-bot', variables);
      caller = await Person.opens(browser, program.url, 440);
    });
    after(async () => {
      await caller?.leaves();
      await program?.stop();
    });

    const isFree = () => caller.page.getByRole('button', { name: 'Call', exact: true }).waitFor();

    it('says what the caller says, until the caller hangs up or presses #', async () =>
      explained(program, async () => {
        for (const ends of ['button', 'key'] as const) {
          await caller.presses('Call');
          await caller.reads('Say something');
          await caller.hears(caller);
          if (ends === 'button') await caller.presses('Hang up');
          else await caller.page.keyboard.press('#');
          await isFree();
          await caller.reads('The call is over.');
          const told = program.events.slice(program.events.lastIndexOf('caller  call.initiated'));
          assert.equal(told.at(-1), 'caller  call.hangup');
          assert.ok(told.includes('caller  call.answered'));
        }
      }));

    it('takes no stream of strangers', async () => {
      const socket = new WebSocket(`${program.url.replace('http', 'ws')}/stream`);
      await new Promise((refused) => socket.addEventListener('error', refused));
    });

    it('gave the browser nothing to complain about', () => {
      assert.deepEqual(caller.complaints, []);
    });

    it('makes nothing twice, and removes what it made', async () => cleansUp('voice-bot', program));
  });

  describe('the conference line', () => {
    let program: ExampleProgram;
    const people: Person[] = [];

    before(async () => {
      program = await ExampleProgram.start('conference-line', variables);
    });
    after(async () => {
      for (const person of people) await person.leaves();
      await program?.stop();
    });
    const comes = async (hz: number): Promise<Person> => {
      const person = await Person.opens(browser, program.url, hz);
      people.push(person);
      await person.presses('Join');
      await person.reads('You are on the line.');
      return person;
    };

    it('all who join hear each other, and see who is there', async () =>
      explained(program, async () => {
        const first = await comes(440);
        await first.hearsSpeech();
        await first.hearsNobody();
        const second = await comes(660);
        await second.hearsSpeech();
        await Promise.all([first.hears(second), second.hears(first)]);
        const third = await comes(1_000);
        await Promise.all([
          first.hearsAll(second, third),
          second.hearsAll(first, third),
          third.hearsAll(first, second),
        ]);
        await first.reads(/Guest 1 \(you\)\s+Guest 2\s+Guest 3/);
      }));

    it('one mutes itself, one leaves, and goes back', async () =>
      explained(program, async () => {
        const [first, second, third] = people as [Person, Person, Person];
        await first.presses('Mute me');
        await second.reads('Guest 1, muted');
        await Promise.all([first.hearsAll(second, third), second.hears(third), third.hears(second)]);
        await third.presses('Leave');
        await second.readsNot('Guest 3');
        await second.hearsNobody();
        await first.presses('Unmute me');
        await second.hears(first);
        await third.presses('Join');
        await third.reads('You are on the line.');
        await second.hearsAll(first, third);
      }));

    it('a new program finds the conference that goes on', async () =>
      explained(program, async () => {
        const [first, second] = people as [Person, Person, Person];
        await program.stop();
        program = await ExampleProgram.start('conference-line', { ...variables, PORT: program.env['PORT']! });
        const late = await comes(1_300);
        await late.hearsAll(...people.slice(0, 3));
        await first.hearsAll(second, ...people.slice(2));
      }));

    it('one ends it for all', async () =>
      explained(program, async () => {
        await people.at(-1)!.presses('End for all');
        for (const person of people)
          await person.page.getByRole('button', { name: 'Join', exact: true }).waitFor();
        assert.doesNotMatch(program.output, /no way in/);
      }));

    it('makes nothing twice, and removes what it made', async () => cleansUp('conference-line', program));
  });
});
