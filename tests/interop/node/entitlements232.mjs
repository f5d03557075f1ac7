// Features, entitlements and grants through @openmeter/sdk 1.0.0-beta.232, of subjects and customers.
// Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
import { OpenMeter, isHTTPError } from 'openmeter-sdk-beta232'

const story = JSON.parse(process.argv.at(-1))
const openmeter = new OpenMeter({ baseUrl: story.baseUrl })
const { features, entitlementsV1, entitlements, customers, meters, events } = openmeter
const { meter, feature, subject, customer, used, unused, metered, grant, longAgo } = story.entitling
const told = {}

async function step(name, call) {
  try {
    told[name] = { value: (await call()) ?? null }
  } catch (error) {
    told[name] = isHTTPError(error)
      ? { error: { name: error.name, status: error.status, detail: error.getField('detail') } }
      : { error: { name: error.name, message: String(error) } }
  }
}

const key = feature.key
const minute = () => new Date(Math.floor(Date.now() / 60000) * 60000)
const use = (who, data) => events.ingest({ type: meter.eventType, subject: who, data })

await meters.create(meter)
await step('create feature', () => features.create(feature))
await step('create feature again', () => features.create(feature))
// Of this meter alone: other tests have features here too, and an array has a hundred.
await step('features', () => features.list({ meterSlug: [meter.slug] }))
await step('features in pages', () => features.list({ page: 1, pageSize: 1, meterSlug: [meter.slug] }))
await step('feature', () => features.get(key))
await step('feature missing', () => features.get(`${key}_missing`))

await step('create', () => entitlementsV1.create(subject, metered))
await step('create again', () => entitlementsV1.create(subject, metered))
await step('get by id', () => entitlementsV1.get(told.create.value.id))
await use(subject, used)
await use(subject, unused)
await step('value', () => entitlementsV1.value(subject, key))
await step('value at', () => entitlementsV1.value(subject, key, { time: new Date() }))
await step('grant', () =>
  entitlementsV1.grants.create(subject, key, { ...grant, effectiveAt: minute() }))
await step('grant long ago', () =>
  entitlementsV1.grants.create(subject, key, { ...grant, effectiveAt: new Date(longAgo) }))
await step('grants', () => entitlementsV1.grants.list(subject, key))
await step('history', () => entitlementsV1.history(subject, key, { windowSize: 'HOUR' }))
await step('all grants', () => entitlementsV1.grants.listAll({ subject: [subject] }))
await step('all entitlements', () => entitlementsV1.list({ subject: [subject] }))
await step('void', () => entitlementsV1.grants.void(told.grant.value.id))
await step('void again', () => entitlementsV1.grants.void(told.grant.value.id))
await step('value after void', () => entitlementsV1.value(subject, key))
await step('reset in the same minute', () =>
  entitlementsV1.reset(subject, key, { effectiveAt: told.create.value.lastReset }))
await step('override', () =>
  entitlementsV1.override(subject, key, { ...metered, issueAfterReset: 5 }))
await step('value after override', () => entitlementsV1.value(subject, key))
await step('delete', () => entitlementsV1.delete(subject, key))
await step('delete again', () => entitlementsV1.delete(subject, key))

const who = customer.key
await step('create customer', () => customers.create(customer))
await step('customer create', () => customers.entitlements.create(who, metered))
await step('customer create again', () => customers.entitlements.create(who, metered))
await step('customer list', () => customers.entitlements.list(who))
await step('customer get', () => customers.entitlements.get(who, key))
await use(customer.usageAttribution.subjectKeys[0], used)
await use(who, used)
await step('customer value', () => customers.entitlements.value(who, key))
await step('customer value v1', () => customers.entitlementsV1.value(who, key))
await step('customer value missing', () => customers.entitlementsV1.value(who, `${key}_missing`))
await step('access', () => customers.getAccess(who))
await step('customer grant', () =>
  customers.entitlements.createGrant(who, key, { amount: 5, effectiveAt: minute() }))
await step('customer grants', () => customers.entitlements.listGrants(who, key))
await step('customer history', () =>
  customers.entitlements.history(who, key, 'DAY'))
await step('all entitlements v2', () => entitlements.list({ query: { customerKeys: [who] } }))
await step('entitlement v2', () => entitlements.get(told['customer create'].value.id))
await step('all grants v2', () => entitlements.grants.list({ query: { customer: [who] } }))
await step('void v2', () => entitlements.grants.void(told['customer grant'].value.id))
await step('customer reset in the same minute', () =>
  customers.entitlements.resetUsage(who, key, {
    effectiveAt: told['customer create'].value.lastReset,
  }))
await step('customer override', () =>
  customers.entitlements.override(who, key, { ...metered, issueAfterReset: 5 }))
await step('delete customer in use', () => customers.delete(who))
await step('customer delete', () => customers.entitlements.delete(who, key))
await step('delete customer', () => customers.delete(who))
await step('delete feature', () => features.delete(key))
await step('feature deleted', () => features.get(key))
process.stdout.write(JSON.stringify(told))
