import { type ContractAccount, ContractTrial } from "./contract-trial.js";

/** One statement about PIOPIY. `run` rejects when it is not so. */
export interface ContractCheck {
  readonly name: string;
  /** Told by PIOPIY's documents, or what this project assumes where they are silent. */
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
