package tamper

// Exhaust is the behaviour of replicas and clients that does what Exhaustion says.
const Exhaust = "exhaust"

// Exhaustion is how an attacker uses up what links are made of. It needs real links; nothing of it is a message.
type Exhaustion struct {
	Ways    List   `default:"all" words:"streams,trickle,withhold" doc:"what it uses up, such as streams+trickle: streams, trickle "`
	_       any    `doc:"(frames that never end), withhold (it reads nothing)"`
	Streams uint64 `default:"10000" min:"1" max:"1048576" doc:"how many streams it tries to hold open, over all replicas"`
	Rate    uint64 `default:"50" min:"1" max:"1000000" doc:"how many of them it tries to open in a second"`
}
