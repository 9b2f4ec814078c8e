import { Group, Stack, Text, Title } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'

type Props = { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode; /** Fills the window; the content scrolls inside. */ fill?: boolean; testId?: string }

/** The frame of every page: one h1, what may be done, the content. Sets the window title too. */
export function Page({ title, lead, actions, children, fill, testId }: Props) {
  useEffect(() => {
    document.title = `${title} · Onhand`
  }, [title])
  return (
    <Stack gap="md" p={{ base: 'sm', sm: 'lg' }} maw={fill ? undefined : 1440} mx="auto" w="100%" h={fill ? '100%' : undefined} data-testid={testId}>
      <Group justify="space-between" align="flex-end" gap="sm" wrap="wrap">
        <div style={{ minWidth: 0 }}>
          <Title order={1} style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
          {lead ? (
            <Text component="div" c="dimmed" size="sm" mt={2}>
              {lead}
            </Text>
          ) : null}
        </div>
        {actions ? <Group gap="xs">{actions}</Group> : null}
      </Group>
      {children}
    </Stack>
  )
}
