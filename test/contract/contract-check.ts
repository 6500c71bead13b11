import { type ContractAccount, ContractTrial } from "./contract-trial.js";

/** A statement about PIOPIY. `run` rejects if it is false. */
export interface ContractCheck {
  readonly name: string;
  /** Stated in PIOPIY's documentation, or assumed by this project where it states nothing. */
  readonly basis: "documented" | "assumed";
  run(account: ContractAccount): Promise<void>;
}

type Act = (trial: ContractTrial) => Promise<void>;

export function documented(name: string, act: Act): ContractCheck {
  return { name, basis: "documented", run: (account) => tryOut(account, act) };
}

export function assumed(name: string, act: Act): ContractCheck {
  return { name, basis: "assumed", run: (account) => tryOut(account, act) };
}

async function tryOut(account: ContractAccount, act: Act): Promise<void> {
  const trial = new ContractTrial(account);
  try {
    await act(trial);
  } finally {
    await trial.end();
  }
}
