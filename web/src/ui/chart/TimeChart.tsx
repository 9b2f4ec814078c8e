import { useComputedColorScheme } from '@mantine/core'
import { useReducedMotion } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'

import { toPixels } from '../../values/decimal'
import type { init } from './engine'

export type Series = { name: string; kind: 'bar' | 'line' | 'step'; values: (string | null)[]; tone: 'main' | 'second'; right?: boolean; /** Nothing between whole numbers stands on its axis. */ whole?: boolean; show: (value: string) => string }
type Props = { label: string; height?: number; at: string[]; axis: (iso: string) => string; tip: (iso: string) => string; series: Series[] }
type Instance = ReturnType<typeof init>

/** Values over time. Heights may be floats, the words in the tip come from the exact strings. */
export function TimeChart({ label, height = 240, at, axis, tip, series }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [chart, setChart] = useState<Instance | null>(null)
  const scheme = useComputedColorScheme('light')
  const still = useReducedMotion()

  useEffect(() => {
    let live = true
    let made: Instance | null = null
    let watch: ResizeObserver | null = null
    void import('./engine').then((engine) => {
      if (!live || !box.current) return
      made = engine.init(box.current)
      watch = new ResizeObserver(() => made?.resize())
      watch.observe(box.current)
      setChart(made)
    })
    return () => {
      live = false
      watch?.disconnect()
      made?.dispose()
      setChart(null)
    }
  }, [])

  useEffect(() => {
    if (!chart || !box.current) return
    const style = getComputedStyle(box.current)
    const colour = (name: string) => style.getPropertyValue(name).trim()
    const ink = colour('--mantine-color-dimmed')
    const line = colour('--oh-line')
    const tones = { main: colour(scheme === 'dark' ? '--mantine-color-spruce-4' : '--mantine-color-spruce-6'), second: colour(scheme === 'dark' ? '--mantine-color-amber-3' : '--mantine-color-amber-5') }
    const twoAxes = series.some((each) => each.right)
    const axisOf = (right: boolean) => ({
      type: 'value' as const,
      minInterval: series.some((each) => Boolean(each.right) === right && each.whole) ? 1 : undefined,
      position: right ? ('right' as const) : ('left' as const),
      axisLabel: { color: ink, fontSize: 11, hideOverlap: true },
      splitLine: { show: !right, lineStyle: { color: line } },
      splitNumber: 4,
    })
    chart.setOption(
      {
        animation: !still,
        animationDuration: 300,
        textStyle: { fontFamily: style.fontFamily },
        grid: { left: 6, right: twoAxes ? 6 : 14, top: 14, bottom: 4, containLabel: true },
        xAxis: { type: 'category', data: at, axisTick: { show: false }, axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink, fontSize: 11, hideOverlap: true, formatter: axis } },
        yAxis: twoAxes ? [axisOf(false), axisOf(true)] : [axisOf(false)],
        tooltip: {
          trigger: 'axis',
          renderMode: 'richText',
          backgroundColor: colour('--mantine-color-body'),
          borderColor: line,
          textStyle: { color: colour('--mantine-color-text'), fontSize: 12 },
          formatter: (hits: { dataIndex: number }[]) => {
            const index = hits[0]?.dataIndex ?? 0
            const lines = series.map((each) => `${each.name}: ${each.values[index] == null ? '–' : each.show(each.values[index])}`)
            return [tip(at[index] ?? ''), ...lines].join('\n')
          },
        },
        series: series.map((each) => ({
          name: each.name,
          type: each.kind === 'bar' ? 'bar' : 'line',
          step: each.kind === 'step' ? 'end' : undefined,
          yAxisIndex: each.right ? 1 : 0,
          data: each.values.map((value) => (value === null ? null : toPixels(value))),
          showSymbol: false,
          barCategoryGap: '25%',
          smooth: each.kind === 'line' ? 0.25 : false,
          itemStyle: { color: tones[each.tone], borderRadius: each.kind === 'bar' ? [2, 2, 0, 0] : 0 },
          lineStyle: { width: 2, color: tones[each.tone] },
          areaStyle: each.kind === 'step' ? { color: tones[each.tone], opacity: 0.12 } : undefined,
        })),
      },
      { notMerge: true },
    )
  }, [chart, at, series, axis, tip, scheme, still])

  return <div ref={box} role="img" aria-label={label} style={{ height, width: '100%' }} />
}
