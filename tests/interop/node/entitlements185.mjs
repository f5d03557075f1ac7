// Features, entitlements and grants through @openmeter/sdk 1.0.0-beta.185: its README line by line.
// Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
import { OpenMeter } from 'openmeter-sdk-beta185'

const story = JSON.parse(process.argv.at(-1))
const openmeter = new OpenMeter({ baseUrl: story.baseUrl })
const { subjects, features, grants, entitlements, meters, events } = openmeter
const { meter, feature, subject, used, unused, metered, grant, longAgo } = story.entitling
const told = {}

async function step(name, call) {
  try {
    told[name] = { value: (await call()) ?? null }
  } catch (error) {
    told[name] = {
      error: { name: error.name, status: error.statusCode, detail: error.problem?.detail },
    }
  }
}

const key = feature.key
const minute = () => new Date(Math.floor(Date.now() / 60000) * 60000)
const use = (data) => events.ingest({ type: meter.eventType, subject, data })

await meters.create(meter)
await step('create feature', () => features.create(feature))
await step('create feature again', () => features.create(feature))
// Of this meter alone: other tests have features here too, and an array has a hundred.
await step('features', () => features.list({ meterSlug: [meter.slug] }))
await step('features in pages', () => features.list({ page: 1, pageSize: 1, meterSlug: [meter.slug] }))
await step('feature', () => features.get(key))
await step('feature missing', () => features.get(`${key}_missing`))

await step('create', () => subjects.createEntitlement(subject, metered))
await step('create again', () => subjects.createEntitlement(subject, metered))
await step('list', () => subjects.listEntitlements(subject))
await step('get', () => subjects.getEntitlement(subject, key))
await step('get by id', () => subjects.getEntitlement(subject, told.create.value.id))
await step('get missing', () => subjects.getEntitlement(subject, `${key}_missing`))
await use(used)
await use(unused)
await step('value', () => subjects.getEntitlementValue(subject, key))
await step('value at', () => subjects.getEntitlementValueAt(subject, key, new Date()))
await step('grant', () =>
  subjects.createEntitlementGrant(subject, key, { ...grant, effectiveAt: minute() }))
await step('grant long ago', () =>
  subjects.createEntitlementGrant(subject, key, { ...grant, effectiveAt: longAgo }))
await step('grants', () => subjects.listEntitlementGrants(subject, key))
await step('history without a window size', () => subjects.getEntitlementHistory(subject, key))
await step('history', () => subjects.getEntitlementHistory(subject, key, { windowSize: 'HOUR' }))
await step('all grants', () => grants.list({ subject: [subject] }))
await step('all grants in pages', () => grants.list({ subject: [subject], page: 1, pageSize: 1 }))
await step('all entitlements', () => entitlements.list({ subject: [subject] }))
await step('entitlement', () => entitlements.get(told.create.value.id))
await step('void', () => grants.delete(told.grant.value.id))
await step('void again', () => grants.delete(told.grant.value.id))
await step('value after void', () => subjects.getEntitlementValue(subject, key))
await step('reset as in the README', () =>
  subjects.resetEntitlementUsage(subject, { retainAnchor: true }))
await step('reset in the same minute', () =>
  subjects.resetEntitlementUsage(subject, key, { effectiveAt: told.create.value.lastReset }))
await step('override', () =>
  subjects.overrideEntitlement(subject, key, { ...metered, issueAfterReset: 5 }))
await step('value after override', () => subjects.getEntitlementValue(subject, key))
await step('delete', () => subjects.deleteEntitlement(subject, key))
await step('delete again', () => subjects.deleteEntitlement(subject, key))
await step('delete feature', () => features.delete(key))
await step('feature deleted', () => features.get(key))
process.stdout.write(JSON.stringify(told))
