// Package check tries, one after another, what the processor needs of the brokers, and says what works, what is
// refused, and what to do about that. It also tells the least access control list with which all of it works.
//
// It leaves no traces that anybody would notice: it writes no record, joins no group, commits no offset and takes no
// transactional id. Whether it may is found out by requests that the brokers authorize first and then cannot carry
// out: for a partition that no topic has, a member that no group has, a producer that no broker knows. Where Options
// let topics be made, making them is only validated.
//
// Goroutines that it starts end before Run returns.
package check
