// Package demo shows what a server does, to those who have no phone at hand, with two phones of package phone:
// [Run] plays a whole call and draws its ladder as it happens, [Probe] checks a live server from outside.
//
// Both print what they see and nothing else; what fails is said in a sentence with the next step.
package demo
