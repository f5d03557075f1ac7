// The story of python/polar1.py told through @polar-sh/sdk: meters, events, customers and theirs.
// Reads {baseUrl, ...polar_story.json} as its argument, prints {step: {value} or {error}} as JSON.
import { Polar } from '@polar-sh/sdk'

const story = JSON.parse(process.argv.at(-1))
const polar = new Polar({ accessToken: 'ignored', serverURL: story.baseUrl })
const told = {}

async function step(name, call) {
  try {
    const value = await call()
    told[name] = { value: plain(value?.result ?? value ?? null) }
    return value
  } catch (error) {
    told[name] = { error: { name: error.name, detail: plain(error.detail ?? String(error)) } }
  }
}

// The wire's names again, so that all clients tell the same.
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const plain = (value) =>
  value instanceof Date ? value.toISOString()
  : Array.isArray(value) ? value.map(plain)
  : value !== null && typeof value === 'object' ?
    Object.fromEntries(Object.entries(value).map(([name, one]) => [snake(name), plain(one)]))
  : value

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
const given = (members) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) =>
    [camel(name), name.endsWith('timestamp') ? new Date(value) : value]))

const customer = await step('customer create', () => polar.customers.create(given(story.customer)))
const customerId = customer.id
const meter = await step('create', () => polar.meters.create(story.meter))
await step('create invalid', () => polar.meters.create({ ...story.meter, name: 'x' }))
const { id } = meter
await step('get', () => polar.meters.get({ id }))
await step('get missing', () => polar.meters.get({ id: story.missing }))
await step('get odd', () => polar.meters.get({ id: 'not-an-id' }))
await step('list', () =>
  polar.meters.list({ query: story.tag.toUpperCase(), sorting: ['-name', 'created_at'] }))
await step('list of a team', () => polar.meters.list({ metadata: { team: story.tag } }))
await step('update', () =>
  polar.meters.update({ id, meterUpdate: { name: `${story.tag} renamed` } }))

const acme = { customerId }
const zoe = { externalCustomerId: `${story.tag}-zoe` }
const events = story.events.map((event, i) =>
  ({ name: `${story.tag}.prompt`, ...given(event), ...(i % 2 ? zoe : acme) }))
await step('ingest', () => polar.events.ingest({ events }))
await step('ingest again', () => polar.events.ingest({ events: events.slice(0, 2) }))
await step('ingest of a stranger', () => polar.events.ingest({
  events: [{ ...events[0], customerId: story.missing, externalId: 'x' }],
}))
await step('events', () => polar.events.list({ name: `${story.tag}.prompt`, limit: 100 }))
await step('events of the meter', () => polar.events.list({ meterId: id, sorting: ['timestamp'] }))
await step('event', () => polar.events.get({ id: told.events.value.items[0].id }))
await step('event missing', () => polar.events.get({ id: story.missing }))
await step('names', () => polar.events.listNames({ query: story.tag }))

const asked = { ...story.quantities, ...story['newer quantities'], backwards: story.backwards }
for (const [name, query] of Object.entries(asked)) {
  await step(name, () => polar.meters.quantities({ id, ...given(query) }))
}
await step('locked', () =>
  polar.meters.update({ id, meterUpdate: { aggregation: { func: 'count' } } }))
await step('archive', () => polar.meters.update({ id, meterUpdate: { isArchived: true } }))
await step('list archived', () => polar.meters.list({ query: story.tag, isArchived: true }))
await step('unarchive', () => polar.meters.update({ id, meterUpdate: { isArchived: false } }))

const externalId = story.customer.external_id
await step('customer', () => polar.customers.get({ id: customerId }))
await step('customer missing', () => polar.customers.get({ id: story.missing }))
await step('customer by external id', () => polar.customers.getExternal({ externalId }))
await step('customers', () => polar.customers.list({ query: story.tag }))
await step('customer taken', () => polar.customers.create(given(story.customer)))
await step('customer update', () =>
  polar.customers.update({ id: customerId, customerUpdate: { name: 'Acme' } }))
await step('customer meters', () => polar.customerMeters.list({ meterId: id }))
await step('customer meter', () =>
  polar.customerMeters.get({ id: told['customer meters'].value.items[0].id }))
await step('state', () => polar.customers.getState({ id: customerId }))
await step('state by external id', () => polar.customers.getStateExternal({ externalId }))
await step('customer delete', () => polar.customers.delete({ id: customerId }))
await step('customer deleted', () => polar.customers.get({ id: customerId }))
console.log(JSON.stringify(told))
