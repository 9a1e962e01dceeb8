/** Who is logged in, and with what. */
export interface Account {
  readonly userName: string;
  /** The SIP domain; unknown after a login by password. */
  readonly domain?: string;
  /** Other users of this server, worth a button. */
  readonly others: readonly string[];
  readonly credentials:
    | { readonly login_token: string }
    | { readonly login: string; readonly password: string };
}

const KEPT = 'sidetone-login';

/** Takes a single-use login token out of the address bar, so that it is neither bookmarked nor shared. */
export function takeLinkToken(): string | undefined {
  const url = new URL(location.href);
  const token = url.searchParams.get('token');
  if (token === null) return undefined;
  url.searchParams.delete('token');
  history.replaceState(null, '', url);
  return token;
}

/** Exchanges a login link for an account; a sentence when that fails. */
export async function redeemLink(token: string): Promise<Account | string> {
  let response: Response;
  try {
    response = await fetch('/api/login-link', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
  } catch {
    return 'The server cannot be reached.';
  }
  if (!response.ok)
    return 'This login link was used before or is too old. Log in with your password, or start the server for a new link.';
  const account = accountOf(await response.json().catch(() => null));
  return account ?? 'The server sent an answer that this page does not understand.';
}

/** The account that this tab was logged in with before a reload. */
export function keptAccount(): Account | undefined {
  try {
    return accountOf(JSON.parse(sessionStorage.getItem(KEPT) ?? 'null'));
  } catch {
    return undefined;
  }
}

/** Keeps a login by token for reloads of this tab. Passwords are never kept. */
export function keep(account: Account | undefined): void {
  if (account === undefined || !('login_token' in account.credentials))
    return sessionStorage.removeItem(KEPT);
  const { userName, domain, others, credentials } = account;
  sessionStorage.setItem(
    KEPT,
    JSON.stringify({ user_name: userName, domain, others, login_token: credentials.login_token }),
  );
}

function accountOf(value: unknown): Account | undefined {
  const { login_token, user_name, domain, others } = (value ?? {}) as Record<string, unknown>;
  if (typeof login_token !== 'string' || typeof user_name !== 'string') return undefined;
  return {
    userName: user_name,
    ...(typeof domain === 'string' ? { domain } : {}),
    others: Array.isArray(others) ? others.filter((other) => typeof other === 'string') : [],
    credentials: { login_token },
  };
}
