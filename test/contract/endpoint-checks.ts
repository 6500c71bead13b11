import assert from "node:assert/strict";
import { assumed, type ContractCheck, documented } from "./contract-check.js";

const password = "made-up-Contract-1";
const newPassword = "made-up-Contract-2";

/** Checks of creating, reading, updating and removing an endpoint. */
export const endpointChecks: readonly ContractCheck[] = [
  documented("creating an endpoint returns it with its password", async (trial) => {
    const username = trial.username();
    const response = await trial.create(username, password);
    const { connect_URL, audio, video } = response.body;
    response.assertFields({ username, password, connect_URL, audio, video, type: "SIP" });
  }),

  documented("a created endpoint has audio, video and the host to register with", async (trial) => {
    const { body } = await trial.create(trial.username(), password);
    assert.equal(String(body.audio), "true", "audio");
    assert.equal(String(body.video), "true", "video");
    assert.ok(
      typeof body.connect_URL === "string" && body.connect_URL !== "",
      "connect_URL is a non-empty string",
    );
  }),

  documented("reading an endpoint returns the same as creating it", async (trial) => {
    const username = trial.username();
    const created = await trial.create(username, password);
    const read = await trial.execute("get_sip", { username });
    assert.deepEqual(read.body, created.body, "the response of get_sip");
  }),

  documented("an update returns the new password, and the endpoint has it afterwards", async (trial) => {
    const username = trial.username();
    await trial.create(username, password);
    const updated = await trial.execute("update_sip", { username, password: newPassword });
    updated.assertFields({ username, password: newPassword, msg: "Updated successfully" });
    const read = await trial.execute("get_sip", { username });
    assert.equal(read.body.password, newPassword, "the password");
  }),

  documented("a removal returns the username, which does not exist afterwards", async (trial) => {
    const username = trial.username();
    await trial.create(username, password);
    const removed = await trial.execute("remove_sip", { username });
    removed.assertFields({ username, msg: "Removed successfully" });
    (await trial.execute("get_sip", { username })).assertRejection(400);
  }),

  documented("creating an existing username is rejected with 400 and changes nothing", async (trial) => {
    const username = trial.username();
    const created = await trial.create(username, password);
    (await trial.execute("add_sip", { username, password: newPassword })).assertRejection(400);
    const read = await trial.execute("get_sip", { username });
    assert.deepEqual(read.body, created.body, "the endpoint");
  }),

  documented("reading an unknown username is rejected with 400", async (trial) => {
    (await trial.execute("get_sip", { username: trial.username() })).assertRejection(400);
  }),

  documented("removing an unknown username is rejected with 400", async (trial) => {
    (await trial.execute("remove_sip", { username: trial.username() })).assertRejection(400);
  }),

  assumed("updating an unknown username is rejected with 400 and creates nothing", async (trial) => {
    const username = trial.username();
    (await trial.execute("update_sip", { username, password })).assertRejection(400);
    (await trial.execute("get_sip", { username })).assertRejection(400);
  }),

  assumed("an update with the current password succeeds", async (trial) => {
    const username = trial.username();
    await trial.create(username, password);
    (await trial.execute("update_sip", { username, password })).assertSuccess();
  }),

  assumed("usernames that differ in case are different endpoints", async (trial) => {
    await trial.create(trial.username("a"), password);
    await trial.create(trial.username("A"), password);
  }),

  assumed("a removed username can be created again", async (trial) => {
    const username = trial.username();
    await trial.create(username, password);
    (await trial.execute("remove_sip", { username })).assertSuccess();
    await trial.create(username, newPassword);
  }),
];
