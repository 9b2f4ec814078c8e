import { ActionIcon, Alert, Button, Group, Stack } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'

import { Icon } from '../../../ui/Icon'
import { useTexts } from '../../../ui/i18n/useTexts'
import { Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import { setupTexts } from './texts'

type Props<L> = {
  first: L[]
  blank: () => L
  addLabel: string
  /** Empty lines are left out, half-filled ones are complained about. */
  isEmpty: (line: L) => boolean
  isWhole: (line: L) => boolean
  complaint: string
  draw: (line: L & { id: string }, set: (part: Partial<L>) => void, index: number) => ReactNode
  /** Called once a line; the id is the same at every try, so trying again does nothing twice. */
  save: (line: L & { id: string }) => Promise<unknown>
  next: () => void
}

/** A few lines to fill in, saved one by one, and a way past. */
export function Lines<L extends object>({ first, blank, addLabel, isEmpty, isWhole, complaint, draw, save, next }: Props<L>) {
  const t = useTexts(setupTexts)
  const withId = (line: L) => ({ ...line, id: uuid7() })
  const [lines, setLines] = useState(() => first.map(withId))
  const [half, setHalf] = useState(false)
  const [saved] = useState(() => new Set<string>())
  const all = useMutation({
    mutationFn: async () => {
      for (const line of lines) {
        if (isEmpty(line) || saved.has(line.id)) continue
        await save(line)
        saved.add(line.id)
      }
    },
    onSuccess: next,
  })
  const submit = () => {
    const broken = lines.some((line) => !isEmpty(line) && !isWhole(line))
    setHalf(broken)
    if (!broken) all.mutate()
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Stack>
        {lines.map((line, index) => (
          <Group key={line.id} align="flex-end" gap="xs" wrap="nowrap" data-testid={`line-${index}`}>
            <Group align="flex-end" gap="xs" style={{ flex: 1 }}>
              {draw(line, (part) => setLines(lines.map((each) => (each.id === line.id ? { ...each, ...part } : each))), index)}
            </Group>
            <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('removeLine', { count: index + 1 })} onClick={() => setLines(lines.filter((each) => each.id !== line.id))} disabled={saved.has(line.id)}>
              <Icon name="close" size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button variant="light" leftSection={<Icon name="plus" size={16} />} onClick={() => setLines([...lines, withId(blank())])} data-testid="add-line">
            {addLabel}
          </Button>
        </Group>
        {half ? (
          <Alert color="amber" role="alert">
            {complaint}
          </Alert>
        ) : null}
        {all.error ? <Problem error={all.error} /> : null}
        <Group justify="space-between">
          <Button variant="subtle" onClick={next} data-testid="skip">
            {t('skip')}
          </Button>
          <Button type="submit" size="md" loading={all.isPending} data-testid="next">
            {t('saveGo')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
