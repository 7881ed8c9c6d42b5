// Package integration tests the built binary against a real Apache Kafka: events go in with one client,
// and alerts and dead letters are read back from their topics with another.
//
// It is a separate module, so that testcontainers and the Docker client stay out of the program's
// dependencies, and "go test ./..." at the top needs no engine. Run it with "make integration" or
// "make chaos", or "go test" in this folder. Where there is no Docker engine the tests fail and say so;
// they never skip. There are five groups, by the tests' names:
//
//   - TestKafka…: what the program promises, on one broker in a container that all of them share.
//   - TestChaos…: kills, pauses and rebalances under load; a ledger tells what is missing or twice there.
//   - TestRecovery: how long alerts stand still after a death. It prints a table.
//   - TestStorm: the same in a storm of rebalances. It prints a table.
//   - TestThroughput: processor seconds and memory against a bare consumer. It prints a table.
//   - TestIncidentBacklog and TestIncidentDelay: the same for incidents, and how long they take. Each prints a table.
//
// Chaos and those that measure run on the plain JVM brokers of the script that REGIONWATCH_KAFKA_BROKER
// names, and in containers where it is not set. KAFKA_IMAGE names another image. REGIONWATCH_EVENTS names
// a file of real events, one per line, gzip or not; without it they are made up.
package integration
