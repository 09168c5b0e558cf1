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
	// Choice is a behaviour with its parameters, as chosen.
	Choice = tamper.Choice
	// Behaviour is an entry of the catalogue.
	Behaviour = tamper.Behaviour
	// Parameter is a parameter of a behaviour.
	Parameter = tamper.Parameter
	// UnknownError says that something chosen does not exist.
	UnknownError = tamper.UnknownError
	// Model is a class of failures.
	Model = tamper.Model
)

// Catalogue lists all behaviours of replicas by name.
func Catalogue() []Behaviour { return replica.Catalogue() }

// ClientBehaviours lists all behaviours of clients by name.
func ClientBehaviours() []Behaviour { return client.Catalogue() }

// ParseChoice reads "name" or "name,parameter=value,…" of a replica's behaviour. What does not exist is an *UnknownError.
func ParseChoice(text string) (Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		_, err = replica.New(c, nil, nil, nil)
	}
	return c, err
}

// ParseReplicas reads who misbehaves in a cluster of so many replicas and how: "3=equivocate" or
// "3=equivocate,parameter=value", each replica once. What does not exist is an *UnknownError.
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

// SuggestReplicas lists what may follow the beginning of a text that ParseReplicas reads: replicas, then behaviours, then
// their parameters and the words that these take.
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

// Check reports whether a choice suits a cluster of so many replicas: whether those that it names are in it.
func Check(c Choice, replicas int) error { return replica.Check(c, replicas) }

// CheckClient is Check for a client's behaviour, which must suit the machine, too. A zero value stands for an unknown one.
func CheckClient(c Choice, replicas int, machine client.Burdens) error {
	_, err := client.New(c, client.Config{Replicas: replicas, Burdens: machine}, nil)
	return err
}

// LinksOnly reports whether a behaviour shows on real links only, so that the simulator cannot run it.
func LinksOnly(c Choice) bool { return c.Name == tamper.Exhaust }

// BesideOrder reports whether a behaviour reads the past. A node answers such reads beside its core; the simulator answers
// none.
func BesideOrder(c Choice) bool { return c.Values["how"] == "past" }
