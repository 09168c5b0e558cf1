package byzantine

import (
	"fmt"
	"strconv"
	"strings"

	"tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/replica"
	"tagma/testnet/byzantine/tamper"
)

type (
	// Choice is a behaviour that was chosen, with values for its parameters.
	Choice = tamper.Choice
	// Behaviour is an entry of the catalogue.
	Behaviour = tamper.Behaviour
	// Parameter is a parameter of a behaviour.
	Parameter = tamper.Parameter
	// UnknownError says that a chosen behaviour, parameter or value does not exist.
	UnknownError = tamper.UnknownError
	// Model is a class of failures, such as crashes.
	Model = tamper.Model
)

// Catalogue lists all behaviours of replicas by name.
func Catalogue() []Behaviour { return replica.Catalogue() }

// ClientBehaviours lists all behaviours of clients by name.
func ClientBehaviours() []Behaviour { return client.Catalogue() }

// ParseChoice reads "name" or "name,parameter=value,…" as a behaviour of replicas. If a name or value does not exist,
// the error is an *UnknownError.
func ParseChoice(text string) (Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		_, err = replica.New(c, nil, nil, nil)
	}
	return c, err
}

// ParseReplicas reads which replicas of a cluster of this size misbehave, and how: "3=equivocate" or
// "3=equivocate,parameter=value". A replica may be named only once. If a name or value does not exist, the error is an
// *UnknownError.
func ParseReplicas(texts []string, replicas int) (map[int][]Choice, error) {
	all := make(map[int][]Choice, len(texts))
	for _, text := range texts {
		number, behaviour, ok := strings.Cut(text, "=")
		id, err := strconv.Atoi(number)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q; write a replica and its behaviour, such as 3=equivocate", text)
		}
		if id < 0 || id >= replicas {
			return nil, fmt.Errorf("%q: there is no replica %d; there are 0 to %d", text, id, replicas-1)
		}
		if _, twice := all[id]; twice {
			return nil, fmt.Errorf("names replica %d twice; it can misbehave in one way", id)
		}
		choice, err := ParseChoice(behaviour)
		if err == nil {
			err = Check(choice, replicas)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		all[id] = []Choice{choice}
	}
	return all, nil
}

// SuggestReplicas lists how a text for ParseReplicas can continue: with replicas, then behaviours, then their parameters
// and the words that are allowed as values.
func SuggestReplicas(given string, replicas int) (all []string) {
	number, behaviour, named := strings.Cut(given, "=")
	if named {
		return prefixed(number+"=", tamper.Suggest(behaviour, Catalogue()))
	}
	for id := range replicas {
		all = append(all, strconv.Itoa(id)+"=")
	}
	return all
}

func prefixed(prefix string, words []string) []string {
	for i := range words {
		words[i] = prefix + words[i]
	}
	return words
}

// ParseClientChoice is ParseChoice for a client's behaviour.
func ParseClientChoice(text string) (Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		err = CheckClient(c, 0, client.Burdens{})
	}
	return c, err
}

// Check returns an error if a choice is not possible in a cluster of this size, for example because it names a replica
// that does not exist.
func Check(c Choice, replicas int) error { return replica.Check(c, replicas) }

// CheckClient is Check for a client's behaviour, which must also be possible with the machine. A zero value stands for
// an unknown cluster size or machine.
func CheckClient(c Choice, replicas int, machine client.Burdens) error {
	_, err := client.New(c, client.Config{Replicas: replicas, Burdens: machine}, nil)
	return err
}

// LinksOnly reports whether a behaviour is possible only on real links. The simulator cannot run such a behaviour.
func LinksOnly(c Choice) bool { return c.Name == tamper.Exhaust }

// BesideOrder reports whether a behaviour reads past states. A node answers such reads outside its core; the simulator
// does not answer them.
func BesideOrder(c Choice) bool { return c.Values["how"] == "past" }
