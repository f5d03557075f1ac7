// One story told through @openmeter/sdk 1.0.0-beta.232: every event, meter, debug and info method.
// Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
import { OpenMeter, isHTTPError } from 'openmeter-sdk-beta232'

const story = JSON.parse(process.argv.at(-1))
const openmeter = new OpenMeter({ baseUrl: story.baseUrl, apiKey: 'ignored' })
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

const event = (e) => ({ ...e, time: new Date(e.time) })
const params = ({ from, to, ...rest }) => ({
  ...(from && { from: new Date(from) }),
  ...(to && { to: new Date(to) }),
  ...rest,
})

const { slug } = story
await step('create', () => openmeter.meters.create(story.meter))
await step('create again', () => openmeter.meters.create(story.meter))
await step('create invalid', () => openmeter.meters.create({ ...story.meter, slug: 'No Slug' }))
await step('get', () => openmeter.meters.get(slug))
await step('get by id', () => openmeter.meters.get(told.create.value.id))
await step('get missing', () => openmeter.meters.get(`${slug}_missing`))
await step('list', () => openmeter.meters.list())

const [first, ...others] = story.events
await step('ingest one', () => openmeter.events.ingest(event(first)))
await step('ingest many', () =>
  openmeter.events.ingest([...others, story.repeated].map(event)))
await step('ingest least', () => openmeter.events.ingest(story.least))
await step('ingest invalid', () => openmeter.events.ingest({ ...story.least, subject: '' }))

const span = () => params(story.span) // the client rewrites the object it is given
await step('events', () => openmeter.events.list({ ...span(), id: story.tag, limit: 100 }))
await step('events of a subject', () => openmeter.events.list({ ...span(), subject: story.acme }))
await step('events limited', () => openmeter.events.list({ ...span(), id: story.tag, limit: 2 }))
await step('events of today', () => openmeter.events.list({ subject: story.least.subject }))
await step('events limit too high', () => openmeter.events.list({ limit: 101 }))
await step('events of a stranger', () =>
  openmeter.events.list({ customerId: [story.stranger] }))

const ours = JSON.stringify({ source: { $eq: first.source } })
await step('events v2', () => openmeter.events.listV2({ filter: ours }))
await step('events v2 page 1', () => openmeter.events.listV2({ filter: ours, limit: 4 }))
await step('events v2 page 2', () =>
  openmeter.events.listV2({
    filter: ours, limit: 4, cursor: told['events v2 page 1'].value.nextCursor,
  }))
await step('events v2 filtered', () =>
  openmeter.events.listV2({
    filter: JSON.stringify({
      source: { $eq: first.source },
      subject: { $in: [story.acme] },
      time: { $gte: '2024-03-09T21:00:00Z' },
    }),
  }))
await step('events v2 bad filter', () =>
  openmeter.events.listV2({ filter: JSON.stringify({ id: { $eq: 'a', $ne: 'b' } }) }))
await step('events v2 bad cursor', () => openmeter.events.listV2({ cursor: 'not a cursor' }))

const queries = { ...story.queries, ...story.filterQueries, ...story.newerQueries }
for (const [name, query] of Object.entries(queries)) {
  await step(`query ${name}`, () => openmeter.meters.query(slug, params(query)))
}
await step('query undefined', () => openmeter.meters.query(slug))
for (const [name, filters] of Object.entries(story.advancedFilters)) {
  const advancedMeterGroupByFilters = JSON.stringify(filters)
  await step(`query advanced ${name}`, () =>
    openmeter.meters.query(slug, { advancedMeterGroupByFilters }))
  await step(`query body advanced ${name}`, () =>
    openmeter.meters.queryPost(slug, { advancedMeterGroupByFilters: filters }))
}
for (const [name, query] of Object.entries(story.bodyQueries)) {
  await step(`query ${name}`, () => openmeter.meters.queryPost(slug, params(query)))
}
for (const [name, query] of Object.entries(story.badQueries)) {
  await step(`query ${name}`, () => openmeter.meters.query(slug, params(query)))
  await step(`query body ${name}`, () => openmeter.meters.queryPost(slug, params(query)))
}
await step('query missing', () => openmeter.meters.query(`${slug}_missing`))
await step('query of a stranger', () =>
  openmeter.meters.query(slug, { filterCustomerId: [story.stranger] }))
const csv = { headers: { Accept: 'text/csv' }, parseAs: 'text' }
await step('csv', () => openmeter.meters.query(slug, { subject: [story.acme] }, csv))
await step('csv post', () => openmeter.meters.queryPost(slug, { groupBy: ['model'] }, csv))
for (const aggregation of [...story.aggregations, 'LATEST']) {
  const other = { ...story.meter, slug: `${slug}_${aggregation.toLowerCase()}`, aggregation }
  if (aggregation === 'COUNT') delete other.valueProperty
  await step(`create ${aggregation}`, () => openmeter.meters.create(other))
  await step(`aggregate ${aggregation}`, () => openmeter.meters.query(other.slug))
  await step(`delete ${aggregation}`, () => openmeter.meters.delete(other.slug))
}
const { to } = span()
await step('group by values', () => openmeter.meters.listGroupByValues(slug, 'model', { to }))
await step('group by values too old', () =>
  openmeter.meters.listGroupByValues(slug, 'model', span()))
await step('group by values unknown', () => openmeter.meters.listGroupByValues(slug, 'nope'))

const { owners } = story
await step('subject upsert', () => openmeter.subjects.upsert([owners.subject, owners.slashed]))
await step('subject upsert again', () => openmeter.subjects.upsert([owners.cleared]))
await step('subject upsert invalid', () => openmeter.subjects.upsert([{ key: '' }]))
await step('subject get', () => openmeter.subjects.get(owners.subject.key))
await step('subject get slashed', () => openmeter.subjects.get(owners.slashed.key))
await step('subject list', () => openmeter.subjects.list())
await step('subject delete', () => openmeter.subjects.delete(owners.slashed.key))
await step('subject get deleted', () => openmeter.subjects.get(owners.slashed.key))
await step('subject upsert one', () => openmeter.subjects.upsert(owners.cleared))

const { customer, replacement } = owners
await step('customer create', () => openmeter.customers.create(customer))
await step('customer create again', () => openmeter.customers.create(customer))
await step('customer create invalid', () =>
  openmeter.customers.create({ ...customer, currency: 'XXX' }))
await step('customer get', () => openmeter.customers.get(customer.key))
const { id: customerId } = told['customer create'].value
await step('customer get by id', () => openmeter.customers.get(customerId))
await step('customer get missing', () => openmeter.customers.get(story.stranger))
await step('customer list', () =>
  openmeter.customers.list({
    key: story.tag, name: 'acme', primaryEmail: 'ACME.test', subject: story.acme,
    expand: ['subscriptions'], includeDeleted: false, orderBy: 'createdAt', order: 'DESC',
    page: 1, pageSize: 2,
  }))
const ofCustomer = () => ({ filterCustomerId: [customerId] })
await step('query of a customer', () => openmeter.meters.query(slug, ofCustomer()))
await step('query body of a customer', () =>
  openmeter.meters.queryPost(slug, { ...ofCustomer(), groupBy: ['customer_id'] }))
await step('csv of a customer', () => openmeter.meters.query(slug, ofCustomer(), csv))
await step('events of a customer', () =>
  openmeter.events.list({ ...span(), customerId: [customerId] }))
await step('events v2 of a customer', () =>
  openmeter.events.listV2({ filter: JSON.stringify({ customerId: { $in: [customerId] } }) }))
await step('customer update', () => openmeter.customers.update(customer.key, replacement))
await step('query of a changed customer', () => openmeter.meters.query(slug, ofCustomer()))
await step('customer delete', () => openmeter.customers.delete(replacement.key))
await step('customer get deleted', () => openmeter.customers.get(replacement.key))
await step('customer get deleted by id', () => openmeter.customers.get(customerId))
await step('customer delete again', () => openmeter.customers.delete(customerId))

await step('ingest unusable', () => openmeter.events.ingest(event(story.unusable)))
await step('events unusable', () =>
  openmeter.events.list({ from: span().from, subject: story.unusable.subject }))
await step('metrics', () => openmeter.debug.getMetrics({ parseAs: 'text' }))
await step('currencies', () => openmeter.info.listCurrencies())
await step('progress', () => openmeter.info.getProgress(story.tag))

await step('update', () =>
  openmeter.meters.update(slug, { name: 'Tokens', groupBy: { kind: '$.kind' } }))
await step('delete', () => openmeter.meters.delete(slug))
await step('get deleted', () => openmeter.meters.get(slug))
await step('get deleted by id', () => openmeter.meters.get(told.create.value.id))
process.stdout.write(JSON.stringify(told))
