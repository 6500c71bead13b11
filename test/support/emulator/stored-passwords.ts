/** Returns the passwords of all endpoints in an emulator, by username, in the order of creation. */
export async function storedPasswords(piopiyUrl: string): Promise<Map<string, string>> {
  const passwords = new Map<string, string>();
  for (let page = 1; ; page++) {
    const response = await fetch(new URL("list_sip", piopiyUrl), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ appid: 2222223, secret: "emulator-secret", page }),
    });
    const { list } = (await response.json()) as {
      list: { rows: { username: string; password: string }[] };
    };
    for (const { username, password } of list.rows) passwords.set(username, password);
    if (list.rows.length === 0) return passwords;
  }
}
