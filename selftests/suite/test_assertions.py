"""The tests of the suite are loaded without pytest's assertion rewriting, which would replace messages by strings."""


def open_socket(snapshot):
    snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]["socket"]["mode"] = 0o777


def test_rewriting_does_not_reach_the_tests_of_the_suite(run, changed):
    snapshot = changed(open_socket)
    plain, rewritten = (
        run("--only", "supervisor-sock", *words, snapshot=snapshot, report=report)
        for report, words in (("plain", ()), ("rewritten", ("--assert=rewrite",)))
    )
    found = [
        next(one for one in done.results["verdicts"] if one["verdict"] == "fail")
        for done in (plain, rewritten)
    ]
    assert found[0] == found[1] and found[1]["case"] == "wrong-mode"
    assert "srwxrwxrwx" in found[1]["evidence"]
