import time
def test_probe(world):
    v=world.visitors["hive_owner"]
    n=world.tickets['swarming']
    for p in ("/mine","/tickets","/asked","/me","/teams",f"/tickets/{n}",f"/tickets/{n}/head",f"/tickets/{n}/side",f"/tickets/{n}/timeline","/tickets/9999"):
        v.get(p)
        t=time.process_time()
        for i in range(5): r=v.get(p)
        print(p, r.status_code, len(r.content), (time.process_time()-t)/5*1000)
    for h in ({}, {"Accept":"application/json"}):
        t=time.process_time()
        for i in range(5): r=v.post(f"/tickets/{n}/escalation",{"reason":"x","note":"y","seen":"2"},**h)
        print("refused", r.status_code, (time.process_time()-t)/5*1000)
