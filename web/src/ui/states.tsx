import { Alert, Button, Center, Group, Loader, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

import { asProblem } from '../api/problem'
import { Icon, type IconName } from './Icon'
import { useProblemText, useShared } from './i18n/useTexts'

export function Loading({ label }: { label?: string }) {
  const t = useShared()
  return (
    <Center p="xl" role="status">
      <Group gap="sm">
        <Loader size="sm" />
        <Text c="dimmed" size="sm">
          {label ?? t('loading')}
        </Text>
      </Group>
    </Center>
  )
}

/** Nothing here, why, and what to do about it. */
export function Empty({ title, children, icon = 'stock', action }: { title: string; children?: ReactNode; icon?: IconName; action?: ReactNode }) {
  return (
    <Center p="xl" data-testid="empty">
      <Stack align="center" gap="xs" maw={420}>
        <Text c="dimmed" component="span">
          <Icon name={icon} size={36} />
        </Text>
        <Text fw={600}>{title}</Text>
        {children ? (
          <Text c="dimmed" size="sm" ta="center" component="div">
            {children}
          </Text>
        ) : null}
        {action}
      </Stack>
    </Center>
  )
}

/** A refusal in words, with the id support asks for, and a way on. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useShared()
  const text = useProblemText()
  const problem = asProblem(error)
  return (
    <Alert color="brick" variant="light" icon={<Icon name="alert" />} role="alert" data-testid="problem" data-code={problem.code}>
      <Text size="sm">{text(error)}</Text>
      {problem.body.details?.map((detail, index) => (
        <Text key={index} size="sm">
          {detail.param ? `${detail.param}: ` : ''}
          {detail.detail ?? detail.code}
        </Text>
      ))}
      {problem.body.request_id ? (
        <Text size="xs" c="dimmed" className="mono" mt={4}>
          {problem.body.request_id}
        </Text>
      ) : null}
      {retry ? (
        <Button mt="xs" size="xs" variant="default" onClick={retry}>
          {t('retry')}
        </Button>
      ) : null}
    </Alert>
  )
}
