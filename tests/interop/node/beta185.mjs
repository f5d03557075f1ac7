// One story told through @openmeter/sdk 1.0.0-beta.185: every event and meter method it has.
// Reads {baseUrl, ...story.json} as its argument, prints {step: {value} or {error}} as JSON.
import { OpenMeter } from 'openmeter-sdk-beta185'

const story = JSON.parse(process.argv.at(-1))
const openmeter = new OpenMeter({ baseUrl: story.baseUrl, token: 'ignored' })
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
await step('get missing', () => openmeter.meters.get(`${slug}_missing`))
await step('list', () => openmeter.meters.list())

const [first, ...others] = story.events
await step('ingest one', () => openmeter.events.ingest(event(first)))
await step('ingest many', () =>
  openmeter.events.ingest([...others, story.repeated].map(event)))
await step('ingest least', () => openmeter.events.ingest(story.least))
await step('ingest invalid', () => openmeter.events.ingest({ ...story.least, subject: '' }))

const span = params(story.span)
await step('events', () => openmeter.events.list({ ...span, id: story.tag, limit: 100 }))
await step('events of a subject', () => openmeter.events.list({ ...span, subject: story.acme }))
await step('events limited', () => openmeter.events.list({ ...span, id: story.tag, limit: 2 }))
await step('events of today', () => openmeter.events.list({ subject: story.least.subject }))
await step('events limit too high', () => openmeter.events.list({ limit: 101 }))
await step('events with errors', () => openmeter.events.list({ hasError: true, limit: 5 }))

for (const [name, query] of Object.entries({ ...story.queries, ...story.filterQueries })) {
  await step(`query ${name}`, () => openmeter.meters.query(slug, params(query)))
}
await step('query undefined', () => openmeter.meters.query(slug))
for (const [name, query] of Object.entries(story.badQueries)) {
  await step(`query ${name}`, () => openmeter.meters.query(slug, params(query)))
}
await step('query missing', () => openmeter.meters.query(`${slug}_missing`))
for (const aggregation of story.aggregations) {
  const other = { ...story.meter, slug: `${slug}_${aggregation.toLowerCase()}`, aggregation }
  if (aggregation === 'COUNT') delete other.valueProperty
  await step(`create ${aggregation}`, () => openmeter.meters.create(other))
  await step(`aggregate ${aggregation}`, () => openmeter.meters.query(other.slug))
}
await step('subjects', () => openmeter.meters.subjects(slug))

const { owners } = story
await step('subject upsert', () => openmeter.subjects.upsert([owners.subject, owners.slashed]))
await step('subject upsert again', () => openmeter.subjects.upsert([owners.cleared]))
await step('subject upsert invalid', () => openmeter.subjects.upsert([{ key: '' }]))
await step('subject get', () => openmeter.subjects.get(owners.subject.key))
await step('subject get slashed', () => openmeter.subjects.get(owners.slashed.key))
await step('subject list', () => openmeter.subjects.list())
await step('subject delete', () => openmeter.subjects.delete(owners.slashed.key))
await step('subject get deleted', () => openmeter.subjects.get(owners.slashed.key))

await step('ingest unusable', () => openmeter.events.ingest(event(story.unusable)))
await step('events unusable', () =>
  openmeter.events.list({ from: span.from, subject: story.unusable.subject }))
process.stdout.write(JSON.stringify(told))
