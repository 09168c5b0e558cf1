import { Diagram } from './view/diagram'
import { Header } from './view/header'
import { Order } from './view/order'
import { Sentences } from './view/sentences'
import { Tabs } from './view/tabs'
import { TimeBar } from './view/timebar'

// App gives each part of the page its place (style/layout.css).
export function App() {
  return (
    <div class="shell">
      <Header />
      <main class="places">
        <section class="place place-diagram" aria-label="Messages over time">
          <Diagram />
        </section>
        <section class="place place-order" aria-label="The order of requests">
          <Order />
        </section>
        <section class="place place-sentences" aria-label="What happened">
          <Sentences />
        </section>
        <section class="place place-tabs" aria-label="Panels">
          <Tabs />
        </section>
      </main>
      <footer class="footer">
        <TimeBar />
      </footer>
    </div>
  )
}
