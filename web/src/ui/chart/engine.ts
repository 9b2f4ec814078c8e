/** The drawing engine with just the parts we use; loaded as a chunk of its own when the first chart is shown. */
import { BarChart, LineChart } from 'echarts/charts'
import { AxisPointerComponent, GridComponent, TooltipComponent } from 'echarts/components'
import { init, use as register } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'

register([BarChart, LineChart, GridComponent, TooltipComponent, AxisPointerComponent, CanvasRenderer])

export { init }
