import { render } from 'preact'
import './style/tokens.css'
import './style/base.css'
import './style/layout.css'
import { App } from './app'
import { connect } from './store/feed'
import { startTheme } from './store/theme'
import { takeToken } from './wire/token'

takeToken()
startTheme()
const root = document.getElementById('page')
if (root) render(<App />, root)
void connect()
